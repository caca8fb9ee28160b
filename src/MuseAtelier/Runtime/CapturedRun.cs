namespace MuseAtelier.Runtime;

/// <summary>
/// A row of stages that a device recorded once and repeats as one piece. Its owner disposes it before the memory that it works on.
/// </summary>
internal abstract class CapturedRun : IDisposable
{
    /// <summary>Repeats the run, after all that was asked for before; allocates nothing managed.</summary>
    public abstract void Launch();

    /// <inheritdoc/>
    public abstract void Dispose();
}
