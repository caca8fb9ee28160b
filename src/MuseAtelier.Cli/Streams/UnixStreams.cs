using System.Runtime.InteropServices;

namespace MuseAtelier.Cli.Streams;

/// <summary>The process's three streams by their numbers, on systems that have these.</summary>
internal static partial class UnixStreams
{
    /// <summary>The streams' numbers.</summary>
    public const int Input = 0, Output = 1, Error = 2;

    private const int GetDescriptorFlags = 1;
    private const int CloseOnExec = 1;

    /// <summary>
    /// Whether a stream was open when the process began. Where it was not, a file that .NET opened for itself may have its number by now: those are
    /// closed for programs that the process starts, which no inherited stream is.
    /// </summary>
    public static bool IsOpen(int stream)
    {
        if (OperatingSystem.IsWindows()) return true;
        int flags = GetFlags(stream, GetDescriptorFlags);
        return flags >= 0 && (flags & CloseOnExec) == 0;
    }

    /// <summary>Lets all that writes to the one number from now on reach the other's stream.</summary>
    public static void Redirect(int stream, int to) => _ = Duplicate(to, stream);

    /// <summary>Stops the process as Ctrl+Z does, until it is told to go on.</summary>
    public static void Pause()
    {
        const int stop = 19, stopOfBsd = 17;
        _ = Signal(Environment.ProcessId, OperatingSystem.IsLinux() ? stop : stopOfBsd);
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int GetFlags(int descriptor, int command);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Duplicate(int from, int to);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);
}
