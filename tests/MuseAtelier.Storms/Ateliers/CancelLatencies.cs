using System.Collections.Concurrent;
using MuseAtelier.Storms.Running;

namespace MuseAtelier.Storms.Ateliers;

/// <summary>The times from cancellations to the ends of their requests, by what the requests did. Thread-safe.</summary>
/// <param name="report">Receives the figures.</param>
/// <param name="boundMilliseconds">Milliseconds that a request may take to end.</param>
internal sealed class CancelLatencies(StormReport report, int boundMilliseconds)
{
    private readonly ConcurrentQueue<(GenerationPhase Phase, double Milliseconds)> _all = new();

    /// <summary>Adds a cancellation.</summary>
    /// <param name="phase">The last phase that was reported before it.</param>
    /// <param name="latency">The time until the request ended.</param>
    /// <param name="where">The request.</param>
    public void Add(GenerationPhase phase, TimeSpan latency, string where)
    {
        double milliseconds = latency.TotalMilliseconds;
        _all.Enqueue((phase, milliseconds));
        report.Add("cancelled");
        if (milliseconds > boundMilliseconds)
            report.Fail("late", $"{where}, {phase}", FormattableString.Invariant($"{milliseconds:F1} ms; allowed are {boundMilliseconds}"));
    }

    /// <summary>Writes the figures to the report.</summary>
    public void Show()
    {
        Show("waiting", phase => phase == GenerationPhase.Queued);
        Show("painting", phase => phase != GenerationPhase.Queued);
        Show("encoding", phase => phase == GenerationPhase.Encoding);
        Show("denoising", phase => phase == GenerationPhase.Denoising);
        Show("decoding", phase => phase == GenerationPhase.Decoding);
    }

    private void Show(string name, Func<GenerationPhase, bool> isMeant)
    {
        double[] sorted = [.. _all.Where(one => isMeant(one.Phase)).Select(one => one.Milliseconds).Order()];
        report.Add($"cancelled.{name}", sorted.Length);
        if (sorted.Length == 0)
            return;
        report.Figure($"{name}Ms.p50", sorted[sorted.Length / 2]);
        report.Figure($"{name}Ms.p95", sorted[sorted.Length * 95 / 100]);
        report.Figure($"{name}Ms.most", sorted[^1]);
    }
}
