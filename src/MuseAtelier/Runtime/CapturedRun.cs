namespace MuseAtelier.Runtime;

/// <summary>
/// A sequence of stages that a device recorded once and replays as one unit, such as a CUDA graph. The owner must dispose it before the
/// memory that it works on.
/// </summary>
internal abstract class CapturedRun : IDisposable
{
    /// <summary>Queues a replay behind all work that was queued before. Allocates nothing managed.</summary>
    public abstract void Launch();

    /// <inheritdoc/>
    public abstract void Dispose();
}
