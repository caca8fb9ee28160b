using System.Globalization;
using System.Runtime.InteropServices;

namespace MuseAtelier.Export.Storage;

/// <summary>The system's limit of open files of a process: how to recognise that it is reached, and the remedy.</summary>
internal static partial class OpenFileLimit
{
    /// <summary>The finding of the failure's message.</summary>
    public const string Found = "the process may not open more files (the limit that ulimit -n shows)";

    /// <summary>The expectation of the failure's message.</summary>
    public const string Expected = "a limit of 256 open files or more";

    /// <summary>The remedy of the failure's message.</summary>
    public const string Remedy =
        "Raise it with ulimit -n 1024 in the shell, LimitNOFILE= in a service, or --ulimit nofile=1024 for a container.";

    // Measured with the Miniature on a CPU: 128 suffice, and with 100 the .NET runtime ends the process.
    private const ulong Least = 128;

    private const int UnixTooManyInProcess = 24;
    private const int UnixTooManyInSystem = 23;
    private const int LinuxOpenFiles = 7;
    private const int MacOpenFiles = 8;

    /// <summary>Returns a description of the limit if it is too low for any picture; null if it is not, or if it is unknown.</summary>
    public static string? TooLow()
    {
        if (OperatingSystem.IsWindows() || GetLimit(
            OperatingSystem.IsMacOS() ? MacOpenFiles : LinuxOpenFiles, out Limit limit) != 0) return null;
        return TooLow(limit.Current);
    }

    /// <summary>Returns the same for a given limit.</summary>
    public static string? TooLow(ulong limit) =>
        limit < Least ? string.Create(CultureInfo.InvariantCulture, $"the process may open {limit} files (the limit that ulimit -n shows)")
        : null;

    /// <summary>Whether an exception, or one of its inner exceptions, means that the limit is reached.</summary>
    public static bool IsReached(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is IOException && !OperatingSystem.IsWindows()
                && exception.HResult is UnixTooManyInProcess or UnixTooManyInSystem) return true;
            // ONNX Runtime states the error only in its message.
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
