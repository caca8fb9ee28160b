using System.Runtime.InteropServices;

namespace MuseAtelier.Cli.Streams;

/// <summary>The process's three standard streams by their file descriptors, on systems that have these.</summary>
internal static partial class UnixStreams
{
    /// <summary>The descriptor of standard input.</summary>
    public const int Input = 0;

    /// <summary>The descriptor of standard output.</summary>
    public const int Output = 1;

    /// <summary>The descriptor of standard error.</summary>
    public const int Error = 2;

    private const int GetDescriptorFlags = 1;
    private const int CloseOnExec = 1;

    /// <summary>
    /// Whether a stream was open when the process began. If it was closed, .NET may have opened a file of its own under the same
    /// descriptor. Such files have the flag close-on-exec, which an inherited stream never has.
    /// </summary>
    public static bool IsOpen(int stream)
    {
        if (OperatingSystem.IsWindows()) return true;
        int flags = GetFlags(stream, GetDescriptorFlags);
        return flags >= 0 && (flags & CloseOnExec) == 0;
    }

    /// <summary>Redirects everything that is written to one descriptor from now on to the stream of another.</summary>
    public static void Redirect(int stream, int to) => _ = Duplicate(to, stream);

    /// <summary>Stops the process as Ctrl+Z does, until it gets the signal to continue.</summary>
    public static void Pause()
    {
        const int linuxStop = 19;
        const int bsdStop = 17;
        _ = Signal(Environment.ProcessId, OperatingSystem.IsLinux() ? linuxStop : bsdStop);
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int GetFlags(int descriptor, int command);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Duplicate(int from, int to);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
