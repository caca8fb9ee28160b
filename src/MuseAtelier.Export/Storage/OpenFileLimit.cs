namespace MuseAtelier.Export.Storage;

/// <summary>The system's limit on the files that a process may have open: what it looks like when it is reached, and what to do.</summary>
internal static class OpenFileLimit
{
    /// <summary>What was found.</summary>
    public const string Found = "the process may not open more files (the limit that ulimit -n shows)";

    /// <summary>What is needed.</summary>
    public const string Expected = "a limit of 256 open files or more";

    /// <summary>What to do.</summary>
    public const string Remedy = "Raise it with ulimit -n 1024 in the shell, LimitNOFILE= in a service, or --ulimit nofile=1024 for a container.";

    private const int UnixTooManyInProcess = 24;
    private const int UnixTooManyInSystem = 23;

    /// <summary>Whether a failure of the system, or one that it caused, means that the limit is reached.</summary>
    public static bool IsReached(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            if (exception is IOException && !OperatingSystem.IsWindows() && exception.HResult is UnixTooManyInProcess or UnixTooManyInSystem) return true;
            if (exception.Message.Contains("Too many open files", StringComparison.Ordinal)) return true;
        }

        return false;
    }
}
