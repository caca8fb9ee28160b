using MuseAtelier.Export.Storage;

namespace MuseAtelier;

/// <summary>The system allows the process fewer open files than a model needs.</summary>
public sealed class OpenFileLimitException : MuseAtelierException
{
    private OpenFileLimitException(string found, Exception? inner)
        : base(found, OpenFileLimit.Expected, OpenFileLimit.Remedy, inner)
    {
    }

    /// <summary>Refuses, before anything is opened, a limit that would make the runtime abort the process later.</summary>
    /// <exception cref="OpenFileLimitException">The limit is too low.</exception>
    internal static void ThrowIfTooLow()
    {
        if (OpenFileLimit.TooLow() is { } found) throw new OpenFileLimitException(found, null);
    }

    /// <summary>The exception for a failure that the limit caused; null if the failure has another cause.</summary>
    internal static OpenFileLimitException? Of(Exception exception) =>
        OpenFileLimit.IsReached(exception) ? new OpenFileLimitException(OpenFileLimit.Found, exception) : null;
}
