using MuseAtelier.Packages;

namespace MuseAtelier.Runtime;

/// <summary>Where the weights of a stage are while the component is loaded.</summary>
internal enum WeightPlacement
{
    /// <summary>In device memory for good.</summary>
    Resident,

    /// <summary>
    /// In device memory from the component's first run on until <see cref="StageWeights.SwapOut"/>, and in host memory all the time.
    /// </summary>
    SwappedOut,

    /// <summary>In host memory, copied into a window of device memory each time before the stage runs.</summary>
    Streamed,

    /// <summary>
    /// In the package's file, and read and copied into the window each time before the stage runs: where host memory is short.
    /// </summary>
    Staged,
}

/// <summary>
/// The weights that stages of a component take as inputs, on a device. Addresses never change, so that bindings are made once; what lies
/// there is right between <see cref="BeforeStage"/> and <see cref="AfterStage"/>. Called on the engine's thread.
/// </summary>
internal abstract class StageWeights : IDisposable
{
    /// <summary>Device memory that the weights take for themselves, in bytes; the window that components share is not theirs.</summary>
    public abstract long DeviceBytes { get; }

    /// <summary>Whether runs of the component's stages can be captured as they are.</summary>
    public virtual bool CanCapture => true;

    /// <summary>What whoever waits should know of how the weights come, in a sentence; null where all is as planned.</summary>
    public virtual string? Notice => null;

    /// <summary>Address of a weight for the device.</summary>
    /// <param name="stage">The stage's place in the component's row.</param>
    /// <param name="weight">One of that stage's weights.</param>
    public abstract nint Address(int stage, WeightSpec weight);

    /// <summary>
    /// Makes what the device is asked for next wait until the stage's weights are there. Allocates nothing managed once all are loaded.
    /// </summary>
    public virtual void BeforeStage(int stage) { }

    /// <summary>Says that the stage was asked for: what lies in its place may be replaced once it has run.</summary>
    public virtual void AfterStage(int stage) { }

    /// <summary>
    /// Gives up the device memory of lent weights, and the window; the next run takes them again. Nothing of a run may be under way.
    /// </summary>
    public virtual void SwapOut() { }

    /// <summary>Before a capture: waits for what is still under way, so that the capture refers to nothing outside itself.</summary>
    public virtual void BeginCapture() { }

    /// <summary>At the end of a captured row: joins to the capture what was begun in it beside the row.</summary>
    public virtual void JoinCapture() { }

    /// <summary>Before a captured row is repeated: makes things as they were when it was captured.</summary>
    public virtual void BeforeReplay() { }

    /// <summary>After a capture, whether it succeeded or not.</summary>
    public virtual void EndCapture() { }

    /// <inheritdoc/>
    public abstract void Dispose();
}
