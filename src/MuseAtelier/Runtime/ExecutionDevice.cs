using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Packages;

namespace MuseAtelier.Runtime;

/// <summary>
/// What a backend gives the engine: memory, copies and sessions. All members are called on the engine's one thread; copies and runs
/// happen in the order in which they are asked for, and are finished only after <see cref="Synchronize"/>.
/// </summary>
internal abstract class ExecutionDevice : IDisposable
{
    /// <summary>The device in words, for people.</summary>
    public abstract string Description { get; }

    /// <summary>What every user of the device should know, in sentences; empty when all is as it was asked for.</summary>
    public virtual IReadOnlyList<string> Notices => [];

    /// <summary>Where the arena lies, as ONNX Runtime's run options name it: what they empty when they are told to.</summary>
    public abstract string Arena { get; }

    /// <summary>Where tensors of this device lie, as ONNX Runtime names it.</summary>
    public abstract OrtMemoryInfo Memory { get; }

    /// <summary>
    /// Waits until this engine may use the device, where engines of one process share it and take turns. Everything that runs, copies,
    /// creates sessions or takes or frees device memory happens between this call and the end of the lease. Nested calls are admitted at
    /// once.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The admission; the caller disposes it.</returns>
    public virtual DeviceLease Enter(CancellationToken cancellationToken) => DeviceLease.Free;

    /// <summary>
    /// Changes whenever another engine has used the device, and with it the memory that captured runs refer to: a run that was captured at
    /// another value must not be repeated.
    /// </summary>
    public virtual long CaptureEpoch => 0;

    /// <summary>
    /// Waits until the device has finished all work, and reports no failure: for the end of a batch that failed or was cancelled, before
    /// another engine is admitted.
    /// </summary>
    public virtual void Settle() { }

    /// <summary>Options of a session of this device; the caller disposes them.</summary>
    /// <param name="traits">What the session is.</param>
    public abstract SessionOptions CreateSessionOptions(SessionTraits traits);

    /// <summary>Run options of this device; the caller disposes them.</summary>
    public abstract RunOptions CreateRunOptions();

    /// <summary>Takes device memory, aligned to 256 bytes.</summary>
    public abstract NativeBuffer Allocate(long bytes);

    /// <summary>Takes host memory from which the device copies fastest, aligned to 256 bytes.</summary>
    public abstract NativeBuffer AllocateHost(long bytes);

    /// <summary>Copies from host memory into device memory.</summary>
    public abstract void Upload(nint host, nint device, long bytes);

    /// <summary>Copies from device memory into host memory.</summary>
    public abstract void Download(nint device, nint host, long bytes);

    /// <summary>Copies within device memory.</summary>
    public abstract void Copy(nint from, nint to, long bytes);

    /// <summary>Waits until all that was asked for is done.</summary>
    public abstract void Synchronize();

    /// <summary>
    /// Brings the weights of a component's transformer stages to where the device uses them. Returns before they are there; the caller
    /// disposes them.
    /// </summary>
    /// <param name="component">The component.</param>
    /// <param name="placements">Where each stage's weights go, in the order of the stages; null means all resident. A device that maps them
    /// takes no notice.</param>
    public abstract StageWeights LoadWeights(ComponentSpec component, IReadOnlyList<WeightPlacement>? placements);

    /// <summary>Says how large the windows are at least that components share; for the time before any is loaded.</summary>
    /// <param name="oncePerPass">Bytes of the window for what runs before the steps, once a pass.</param>
    /// <param name="everyStep">Bytes of the window for the denoising network.</param>
    public virtual void ReserveStreamingBuffers(long oncePerPass, long everyStep) { }

    /// <summary>Whether weights are brought to the device ahead of their first use, while the engine goes on.</summary>
    public virtual bool LoadsAhead => false;

    /// <summary>Threads that create sessions ahead of their first use; 0 where sessions are created when they are needed.</summary>
    public virtual int SessionThreads => 0;

    /// <summary>Whether the device can record a row of runs, and has not failed to.</summary>
    public virtual bool CapturesRuns => false;

    /// <summary>
    /// Records what <paramref name="run"/> asks for, without doing it. Null when the device could not; it then never tries again.
    /// </summary>
    public virtual CapturedRun? Capture(Action run) => null;

    /// <summary>Whether ONNX Runtime failed because the device's memory is used up.</summary>
    public virtual bool IsOutOfMemory(OnnxRuntimeException exception) => false;

    /// <summary>What a failure of ONNX Runtime is to whoever asked: memory that is used up, or a part that failed.</summary>
    /// <param name="exception">The failure.</param>
    /// <param name="part">The part of the model.</param>
    /// <param name="doing">What ONNX Runtime did then, in words that the place follows.</param>
    /// <param name="place">Where, in words.</param>
    public MuseAtelierException Failure(OnnxRuntimeException exception, string part, string doing, string place) => IsOutOfMemory(exception)
        ? DeviceMemoryException.Of(place, exception)
        : OpenFileLimitException.Of(exception)
            ?? (MuseAtelierException)new InferenceException(part, $"ONNX Runtime {doing} {place} ({exception.Message})", exception);

    /// <summary>
    /// Bytes that the device's context took when it was made, as the driver counts; null where there is none, the process had one already,
    /// or nobody tells.
    /// </summary>
    public virtual long? ContextBytes => null;

    /// <summary>
    /// Bytes that the process held on the device when this engine came, with nothing of its own loaded: the context, and what NVIDIA's
    /// libraries keep of earlier engines. Null where other engines were there, or where the driver does not tell.
    /// </summary>
    public virtual long? BaselineBytes => null;

    /// <summary>
    /// Device memory that this engine has taken by <see cref="Allocate"/> and for weights, in bytes; sessions and arenas are not included.
    /// </summary>
    public virtual long AllocatedBytes => 0;

    /// <summary>
    /// Bytes of the shared arena that are this engine's: its sessions' constants, and all working memory, which every engine may use.
    /// </summary>
    /// <param name="constantBytes">Bytes of constants that this engine's sessions hold there.</param>
    public virtual long SharedArenaBytes(long constantBytes) => ArenaStatistics?.Read()?.Held ?? constantBytes;

    /// <summary>
    /// Bytes that this process holds on the device, as the device's driver counts them, or as anonymous memory where the processor is the
    /// device; null where nobody tells. From any thread.
    /// </summary>
    public virtual long? ProcessBytes() => null;

    /// <summary>Bytes that are free on the device; null where memory is the host's. From any thread.</summary>
    public virtual long? FreeBytes() => null;

    /// <summary>What the arena counts that sessions share; null where each has its own.</summary>
    public virtual ArenaStatistics? ArenaStatistics => null;

    /// <inheritdoc/>
    public abstract void Dispose();
}
