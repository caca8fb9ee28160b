using System.Text;
using Microsoft.Win32.SafeHandles;
using Spectre.Console;

namespace MuseAtelier.Cli.Streams;

/// <summary>
/// Opens the process's own streams. JSON is UTF-8 in every locale. A Windows console is set to UTF-8 until this object is disposed. A
/// stream that fails or was closed does not interrupt the work. Output of native libraries does not mix with JSON. The creator disposes
/// it.
/// </summary>
internal sealed class ProcessStreams : IDisposable
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly Encoding? _formerEncoding;

    /// <summary>Opens the streams.</summary>
    /// <param name="isJson">Whether results are JSON.</param>
    public ProcessStreams(bool isJson)
    {
        _formerEncoding = OperatingSystem.IsWindows() ? SetEncoding(Utf8) : null;
        bool isOutOpen = UnixStreams.IsOpen(UnixStreams.Output);
        bool isErrorOpen = UnixStreams.IsOpen(UnixStreams.Error);
        bool isOutTerminal = isOutOpen && !Console.IsOutputRedirected;
        var errors = new GuardedWriter(isErrorOpen ? OpenErrors() : TextWriter.Null);
        var results = new GuardedWriter(isOutOpen ? OpenResults(isJson, isOutTerminal) : new ClosedWriter());
        // The writer of results has duplicated its descriptor, so descriptor 1 can be redirected: output of native libraries then goes to
        // stderr.
        if (isJson && isOutOpen && isErrorOpen && !OperatingSystem.IsWindows())
            UnixStreams.Redirect(UnixStreams.Output, UnixStreams.Error);
        Terminal = Terminal.Of(results, isOutTerminal, errors, isErrorOpen && !Console.IsErrorRedirected);
    }

    /// <summary>The outputs that commands write to.</summary>
    public Terminal Terminal { get; }

    /// <summary>Whether a command line requests JSON.</summary>
    public static bool AsksForJson(string[] args) => args.TakeWhile(arg => arg != "--").Contains("--json");

    /// <summary>Opens standard input as text. If it is redirected, it must be UTF-8, and reading other bytes fails.</summary>
    /// <exception cref="IOException">It was closed when the process began.</exception>
    public static TextReader OpenInput()
    {
        if (!UnixStreams.IsOpen(UnixStreams.Input)) throw new IOException("standard input is closed");
        return Console.IsInputRedirected ? new StreamReader(Console.OpenStandardInput(), StrictUtf8) : Console.In;
    }

    /// <summary>UTF-8 that throws at invalid bytes.</summary>
    public static Encoding StrictUtf8 { get; } = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Writes to stderr without .NET's console, which starts threads. If writing fails, the text is lost.</summary>
    public static void WriteRaw(string text)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Console.Error.Write(text);
                return;
            }

            using var file = new FileStream(new SafeFileHandle(UnixStreams.Error, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            file.Write(Utf8.GetBytes(text));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // The exit code still shows that muse failed.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The encoding belongs to the console window, in which other programs run after this one.
        if (_formerEncoding is not null) SetEncoding(_formerEncoding);
    }

    private static TextWriter OpenResults(bool isJson, bool isTerminal)
    {
        bool isOwn = OperatingSystem.IsWindows() ? !isTerminal : isJson;
        if (isOwn) return new StreamWriter(Console.OpenStandardOutput(), Utf8) { AutoFlush = true };
        return isJson && Console.OutputEncoding.CodePage != Encoding.UTF8.CodePage ? new JsonEscapingWriter(Console.Out) : Console.Out;
    }

    private static TextWriter OpenErrors() =>
        OperatingSystem.IsWindows() && Console.IsErrorRedirected
            ? new StreamWriter(Console.OpenStandardError(), Utf8) { AutoFlush = true }
            : Console.Error;

    // Returns the former encoding; null if the console refuses the new one, or if there is no console.
    private static Encoding? SetEncoding(Encoding encoding)
    {
        try
        {
            Encoding former = Console.OutputEncoding;
            Console.OutputEncoding = encoding;
            return former;
        }
        catch (Exception exception) when (exception is IOException or System.Security.SecurityException or PlatformNotSupportedException)
        {
            return null;
        }
    }

    private sealed class ClosedWriter : TextWriter
    {
        public override Encoding Encoding => Utf8;

        public override void Write(char value) => throw new IOException("it was closed when muse began");
    }
}
