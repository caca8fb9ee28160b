using MuseAtelier.Export.Storage;

namespace MuseAtelier;

/// <summary>The system lets the process open too few files for a model.</summary>
public sealed class OpenFileLimitException : MuseAtelierException
{
    private OpenFileLimitException(string found, Exception? inner)
        : base(found, OpenFileLimit.Expected, OpenFileLimit.Remedy, inner)
    {
    }

    /// <summary>Refuses a limit with which the runtime would end the process in the middle, before anything is opened.</summary>
    /// <exception cref="OpenFileLimitException">The limit is too low.</exception>
    internal static void ThrowIfTooLow()
    {
        if (OpenFileLimit.TooLow() is { } found) throw new OpenFileLimitException(found, null);
    }

    /// <summary>The failure that another one was caused by; null where it was not.</summary>
    internal static OpenFileLimitException? Of(Exception exception) =>
        OpenFileLimit.IsReached(exception) ? new OpenFileLimitException(OpenFileLimit.Found, exception) : null;
}
