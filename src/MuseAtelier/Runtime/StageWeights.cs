using MuseAtelier.Format;

namespace MuseAtelier.Runtime;

/// <summary>
/// The weights that the stages of a component take as inputs, on a device. Their addresses never change, so that bindings are made once.
/// The weights of a stage are valid only between <see cref="BeforeStage"/> and <see cref="AfterStage"/>. All members must be called on the
/// engine's thread.
/// </summary>
internal abstract class StageWeights : IDisposable
{
    /// <summary>Whether runs of the component's stages can be captured.</summary>
    public virtual bool CanCapture => true;

    /// <summary>A sentence for the user if weights are loaded in a slower way than planned; else null.</summary>
    public virtual string? Notice => null;

    /// <summary>
    /// Whether <see cref="Switch"/> replaces weights in place. If not, the weights of a component whose LoRAs change are disposed, and loaded
    /// again with the new ones.
    /// </summary>
    public virtual bool Switches => false;

    /// <summary>Whether the load has failed, so that the object must be disposed.</summary>
    public virtual bool HasFailed => false;

    /// <summary>The type in which stages read a weight.</summary>
    public virtual ElementType TypeOf(WeightSpec weight) => weight.Type;

    /// <summary>Device address of a weight.</summary>
    /// <param name="stage">Index of the stage in the component.</param>
    /// <param name="weight">One of that stage's weights.</param>
    public abstract nint Address(int stage, WeightSpec weight);

    /// <summary>
    /// Makes work that is queued from now on wait until the stage's weights are in place. Allocates no managed memory once all weights are
    /// loaded.
    /// </summary>
    /// <param name="stage">Index of the stage in the component.</param>
    public virtual void BeforeStage(int stage) { }

    /// <summary>Reports that the stage is queued. Its weights may be overwritten once it has run.</summary>
    /// <param name="stage">Index of the stage in the component.</param>
    public virtual void AfterStage(int stage) { }

    /// <summary>
    /// Frees the device memory of swapped-out weights and of the streaming buffer. The next run allocates it again. No run may be in
    /// progress.
    /// </summary>
    public virtual void SwapOut() { }

    /// <summary>
    /// Begins to replace the weights that the former or the next LoRAs change, at their present addresses. No run may be in progress, and
    /// none may begin before the returned task has succeeded. If it fails, some weights are replaced and some are not: the object must be
    /// disposed.
    /// </summary>
    /// <param name="former">The LoRAs that were in force; null if there were none.</param>
    /// <param name="next">The LoRAs of the next run; null if there are none.</param>
    /// <param name="stopping">Stops between two weights.</param>
    public virtual Task Switch(AppliedLoras? former, AppliedLoras? next, CancellationToken stopping) =>
        throw new NotSupportedException($"{GetType().Name} replaces no weights.");

    /// <summary>
    /// Prepares a capture: waits for all queued work, so that the captured run depends on nothing outside itself.
    /// <see cref="EndCapture"/> must follow.
    /// </summary>
    public virtual void BeginCapture() { }

    /// <summary>
    /// Makes the captured stages wait for work that the capture queued elsewhere. Must be called at the end of the captured run.
    /// </summary>
    public virtual void JoinCapture() { }

    /// <summary>Restores the state in which a run was captured. Must be called before each replay.</summary>
    public virtual void BeforeReplay() { }

    /// <summary>Ends a capture, whether or not it succeeded.</summary>
    public virtual void EndCapture() { }

    /// <inheritdoc/>
    public abstract void Dispose();
}
