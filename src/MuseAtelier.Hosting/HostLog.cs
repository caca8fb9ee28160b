using Microsoft.Extensions.Logging;

namespace MuseAtelier.Hosting;

/// <summary>The log messages of the host's part, in the category MuseAtelier.Hosting.</summary>
internal static partial class HostLog
{
    public const string Category = "MuseAtelier.Hosting";

    [LoggerMessage(2001, LogLevel.Error, "The warm-up of the atelier '{Atelier}' failed. The next request opens it again.")]
    public static partial void WarmUpFailed(ILogger logger, string atelier, Exception exception);

    [LoggerMessage(2002, LogLevel.Warning, "{Key} is not a setting of an atelier and has no effect. Settings: {Settings}.")]
    public static partial void UnknownKey(ILogger logger, string key, string settings);

    [LoggerMessage(
        2003, LogLevel.Information, "The atelier '{Atelier}' finishes its requests before the host stops; {Waiting} of them wait.")]
    public static partial void Draining(ILogger logger, string atelier, int waiting);

    [LoggerMessage(
        2004, LogLevel.Warning,
        "The shutdown timeout of the host ended before the atelier '{Atelier}' had finished its requests. Those that were left are "
        + "cancelled. Raise HostOptions.ShutdownTimeout to finish them.")]
    public static partial void LimitReached(ILogger logger, string atelier);
}
