using Microsoft.Extensions.Logging;

namespace MuseAtelier.Hosting;

/// <summary>The log messages of the host's part, in the category MuseAtelier.Hosting.</summary>
internal static partial class HostLog
{
    public const string Category = "MuseAtelier.Hosting";

    [LoggerMessage(
        400, LogLevel.Error, "{Atelier}: the warm-up failed. If the model is not open, the next request opens it again.",
        EventName = "WarmUpFailed")]
    public static partial void WarmUpFailed(ILogger logger, string atelier, Exception exception);

    [LoggerMessage(
        401, LogLevel.Warning, "{Key} is not a setting of an atelier and has no effect. Settings: {Settings}.",
        EventName = "UnknownSetting")]
    public static partial void UnknownSetting(ILogger logger, string key, string settings);

    [LoggerMessage(
        402, LogLevel.Warning,
        "{Atelier}: the shutdown timeout of the host ended before all requests were finished; the rest was cancelled. Raise "
        + "HostOptions.ShutdownTimeout to finish them.",
        EventName = "ShutdownTimeoutReached")]
    public static partial void ShutdownTimeoutReached(ILogger logger, string atelier);
}
