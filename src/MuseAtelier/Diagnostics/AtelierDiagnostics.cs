using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MuseAtelier.Diagnostics;

/// <summary>The log and the metrics of one atelier.</summary>
/// <param name="name">The name of the atelier.</param>
/// <param name="device">The kind of device.</param>
/// <param name="loggers">Receives the log; null means no log.</param>
/// <param name="meters">Creates the meter; null means the process's own.</param>
internal sealed class AtelierDiagnostics(string name, string device, ILoggerFactory? loggers, IMeterFactory? meters) : IDisposable
{
    /// <summary>The name of the atelier.</summary>
    public string Name => name;

    /// <summary>The kind of device.</summary>
    public string Device => device;

    /// <summary>The log.</summary>
    public ILogger Logger { get; } = loggers?.CreateLogger(AtelierLog.Category) ?? NullLogger.Instance;

    /// <summary>The metrics.</summary>
    public AtelierMetrics Metrics { get; } = new(meters, name, device);

    /// <summary>Ends the reports of the observable instruments.</summary>
    public void Dispose() => Metrics.Dispose();
}
