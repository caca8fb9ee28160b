using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// The weights of those stages of a component that have the same kind of place. Stages are counted from 0 in <see cref="Stages"/>. All
/// members must be called on the engine's thread.
/// </summary>
/// <param name="stages">The stages in the order in which they run; each has weights.</param>
internal abstract class PlacedWeights(IReadOnlyList<StageMemory> stages) : IDisposable
{
    /// <summary>The stages in the order in which they run.</summary>
    public IReadOnlyList<StageMemory> Stages => stages;

    /// <summary>Whether runs of the stages can be captured; known after <see cref="FinishLoading"/>.</summary>
    public virtual bool CanCapture => true;

    /// <summary>Begins to load the weights.</summary>
    /// <param name="loras">The LoRAs that change them; null if there are none.</param>
    /// <returns>A task that ends when the load is complete. It must have ended before this object is disposed.</returns>
    public abstract Task Load(AppliedLoras? loras);

    /// <summary>
    /// Begins to replace, at their addresses, the weights that the former or the next LoRAs change. The load must be complete,
    /// <see cref="SwapOut"/> must have been called since the last run, and no run may begin before the task has ended.
    /// </summary>
    /// <param name="former">The LoRAs that were in force; null if there were none.</param>
    /// <param name="next">The LoRAs of the next run; null if there are none.</param>
    /// <param name="stopping">Fails the task before its next piece.</param>
    /// <returns>A task that ends when the weights are in place. It must have ended before this object is disposed.</returns>
    public abstract Task Switch(AppliedLoras? former, AppliedLoras? next, CancellationToken stopping);

    /// <summary>The stages that are read from their file in every run, and whose weights LoRAs change each time.</summary>
    public virtual int StagesMergedInEveryRun => 0;

    /// <summary>The stages that the former or the next LoRAs change.</summary>
    protected IEnumerable<StageMemory> ChangedBy(AppliedLoras? former, AppliedLoras? next) =>
        stages.Where(stage => stage.IsChangedBy(former) || stage.IsChangedBy(next));

    /// <summary>
    /// Stages whose weights stay in their file against the plan, because the system had no more pinned memory; known when the load is
    /// complete.
    /// </summary>
    public virtual int UnpinnedStages => 0;

    /// <summary>Must be called once after the load is complete, before the first run. May be called again if it failed.</summary>
    public virtual void FinishLoading() { }

    /// <summary>
    /// Allocates device memory that <see cref="SwapOut"/> has freed and begins to fill it. Must be called before any stage of the
    /// component, so that the copies overlap with the stages that need none of them.
    /// </summary>
    public virtual void Restore() { }

    /// <summary>Makes the compute stream wait until the stage's weights are in place.</summary>
    public virtual void BeforeStage(int stage) { }

    /// <summary>Reports that the stage is queued. Its weights may be overwritten once it has run.</summary>
    public virtual void AfterStage(int stage) { }

    /// <summary>Queues everything that was requested, so that the streams can be synchronized before <see cref="SwapOut"/>.</summary>
    /// <returns>Whether there is device memory to free; if not, <see cref="SwapOut"/> does nothing.</returns>
    public virtual bool PrepareSwapOut() => false;

    /// <summary>Frees device memory until it is needed again. Both streams must be idle.</summary>
    public virtual void SwapOut() { }

    /// <summary>Prepares a capture, so that the captured run depends on nothing outside itself.</summary>
    public virtual void BeginCapture() { }

    /// <summary>
    /// Makes the compute stream wait for the copies that the capture queued. Must be called at the end of the captured run.
    /// </summary>
    public virtual void JoinCapture() { }

    /// <summary>Ends a capture, whether or not it succeeded.</summary>
    public virtual void EndCapture() { }

    /// <summary>Restores the state in which a run was captured. Must be called before each replay.</summary>
    public virtual void BeforeReplay() { }

    /// <inheritdoc/>
    public abstract void Dispose();
}
