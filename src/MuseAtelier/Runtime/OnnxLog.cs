using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Diagnostics;

namespace MuseAtelier.Runtime;

/// <summary>
/// The log of ONNX Runtime for the sessions of one device. ONNX Runtime has one log function for the whole process, and passes it the log
/// id of the session that a message is about. Messages about no session, such as those of the environment and of a card's provider, go to
/// the log of the device that was opened last of those that are open.
/// </summary>
internal sealed class OnnxLog : IDisposable
{
    private const string Prefix = "MuseAtelier-";

    private static readonly ConcurrentDictionary<long, OnnxLog> Open = new();
    private static long _opened;

    private readonly long _number = Interlocked.Increment(ref _opened);
    private readonly ILogger? _logger;

    /// <summary>Opens a log. Dispose it after the sessions.</summary>
    /// <param name="loggers">Receives the log; null means no log.</param>
    public OnnxLog(ILoggerFactory? loggers)
    {
        _logger = loggers?.CreateLogger(AtelierLog.OnnxCategory);
        SessionId = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{_number}");
        Open[_number] = this;
    }

    /// <summary>The log id of the sessions.</summary>
    public string SessionId { get; }

    /// <summary>Writes a message of ONNX Runtime to the log of the device that it is about.</summary>
    /// <param name="severity">The severity.</param>
    /// <param name="logId">The log id, which begins with a session's.</param>
    /// <param name="location">The place in ONNX Runtime's code.</param>
    /// <param name="message">The message.</param>
    public static void Write(OrtLoggingLevel severity, string logId, string location, string message)
    {
        if (Find(logId)?._logger is not { } logger) return;
        LogLevel level = severity switch
        {
            OrtLoggingLevel.ORT_LOGGING_LEVEL_VERBOSE => LogLevel.Trace,
            OrtLoggingLevel.ORT_LOGGING_LEVEL_INFO => LogLevel.Debug,
            OrtLoggingLevel.ORT_LOGGING_LEVEL_WARNING => LogLevel.Warning,
            OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR => LogLevel.Error,
            _ => LogLevel.Critical,
        };
        try
        {
            AtelierLog.OnnxRuntimeMessage(logger, level, location, message);
        }
#pragma warning disable CA1031 // Native code calls this method, and an exception that reaches native code ends the process.
        catch (Exception)
#pragma warning restore CA1031
        {
            // The message is lost.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Open.TryRemove(_number, out _);

    // ONNX Runtime adds the tag of a run to the id of its session.
    private static OnnxLog? Find(string logId)
    {
        if (!logId.StartsWith(Prefix, StringComparison.Ordinal)) return Open.Values.MaxBy(log => log._number);
        ReadOnlySpan<char> number = logId.AsSpan(Prefix.Length);
        int end = number.IndexOfAnyExceptInRange('0', '9');
        if (end >= 0) number = number[..end];
        bool isNumber = long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out long opened);
        return isNumber ? Open.GetValueOrDefault(opened) : null;
    }
}
