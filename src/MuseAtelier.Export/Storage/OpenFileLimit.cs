using System.Globalization;
using System.Runtime.InteropServices;

namespace MuseAtelier.Export.Storage;

/// <summary>The system's limit on the files that a process may have open: what it looks like when it is reached, and what to do.</summary>
internal static partial class OpenFileLimit
{
    /// <summary>What was found.</summary>
    public const string Found = "the process may not open more files (the limit that ulimit -n shows)";

    /// <summary>What is needed.</summary>
    public const string Expected = "a limit of 256 open files or more";

    /// <summary>What to do.</summary>
    public const string Remedy =
        "Raise it with ulimit -n 1024 in the shell, LimitNOFILE= in a service, or --ulimit nofile=1024 for a container.";

    // Measured with the Miniature on a processor: 128 suffice, and with 100 the runtime itself ends the process in the middle.
    private const ulong Least = 128;

    private const int UnixTooManyInProcess = 24;
    private const int UnixTooManyInSystem = 23;
    private const int LinuxOpenFiles = 7;
    private const int MacOpenFiles = 8;

    /// <summary>The limit in words where it is too low to paint at all; null where it is not, or the system does not tell.</summary>
    public static string? TooLow()
    {
        if (OperatingSystem.IsWindows() || GetLimit(
            OperatingSystem.IsMacOS() ? MacOpenFiles : LinuxOpenFiles, out Limit limit) != 0) return null;
        return TooLow(limit.Current);
    }

    /// <summary>The same of a limit that is known.</summary>
    public static string? TooLow(ulong limit) =>
        limit < Least ? string.Create(CultureInfo.InvariantCulture, $"the process may open {limit} files (the limit that ulimit -n shows)")
        : null;

    /// <summary>Whether a failure of the system, or one that it caused, means that the limit is reached.</summary>
    public static bool IsReached(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is IOException && !OperatingSystem.IsWindows()
                && exception.HResult is UnixTooManyInProcess or UnixTooManyInSystem) return true;
            // ONNX Runtime has the number in its message alone.
            if (exception.Message.Contains("Too many open files", StringComparison.Ordinal)
                || exception.Message.Contains("system error number 24", StringComparison.Ordinal)) return true;
        }

        return false;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private struct Limit
    {
        public ulong Current;
        public ulong Most;
    }
}
