using System.Text;
using Microsoft.Win32.SafeHandles;
using Spectre.Console;

namespace MuseAtelier.Cli.Streams;

/// <summary>
/// The process's own streams, opened so that text survives them: JSON is UTF-8 whatever the locale says, a Windows console is set to UTF-8 as long as
/// this lives, a stream that fails or was closed ends no work, and what native libraries print does not mix with JSON. The creator disposes it.
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
        bool isOutTerminal = UnixStreams.IsOpen(UnixStreams.Output) && !Console.IsOutputRedirected, isErrorOpen = UnixStreams.IsOpen(UnixStreams.Error);
        var errors = new GuardedWriter(isErrorOpen ? OpenErrors() : TextWriter.Null);
        var results = new GuardedWriter(UnixStreams.IsOpen(UnixStreams.Output) ? OpenResults(isJson, isOutTerminal) : new ClosedWriter());
        // The results' stream has a number of its own by now; this one is for what native libraries print.
        if (isJson && isErrorOpen && !OperatingSystem.IsWindows() && UnixStreams.IsOpen(UnixStreams.Output)) UnixStreams.Redirect(UnixStreams.Output, UnixStreams.Error);
        Terminal = Terminal.Of(results, isOutTerminal, errors, isErrorOpen && !Console.IsErrorRedirected);
    }

    /// <summary>What commands write to.</summary>
    public Terminal Terminal { get; }

    /// <summary>Whether a command line asks for JSON.</summary>
    public static bool AsksForJson(string[] args) => args.TakeWhile(arg => arg != "--").Contains("--json");

    /// <summary>Standard input as text: UTF-8 where it is not a terminal, and refused where it is no UTF-8.</summary>
    /// <exception cref="IOException">It was closed when the process began.</exception>
    public static TextReader OpenInput()
    {
        if (!UnixStreams.IsOpen(UnixStreams.Input)) throw new IOException("standard input is closed");
        return Console.IsInputRedirected ? new StreamReader(Console.OpenStandardInput(), StrictUtf8) : Console.In;
    }

    /// <summary>UTF-8 that fails at bytes that are none.</summary>
    public static Encoding StrictUtf8 { get; } = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Writes to stderr without .NET's console, which starts threads. What cannot be written is lost.</summary>
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
            // The exit code says it all the same.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // It belongs to the window, where other programs run after this one.
        if (_formerEncoding is not null) SetEncoding(_formerEncoding);
    }

    private static TextWriter OpenResults(bool isJson, bool isTerminal)
    {
        bool isOwn = OperatingSystem.IsWindows() ? !isTerminal : isJson;
        if (isOwn) return new StreamWriter(Console.OpenStandardOutput(), Utf8) { AutoFlush = true };
        return isJson && Console.OutputEncoding.CodePage != Encoding.UTF8.CodePage ? new JsonEscapingWriter(Console.Out) : Console.Out;
    }

    private static TextWriter OpenErrors() =>
        OperatingSystem.IsWindows() && Console.IsErrorRedirected ? new StreamWriter(Console.OpenStandardError(), Utf8) { AutoFlush = true } : Console.Error;

    // Gives the encoding that was there before; null where the console refuses, or there is none.
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
