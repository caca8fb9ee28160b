using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;

namespace MuseAtelier.Runtime;

/// <summary>
/// The memory, copies and sessions that a backend provides. All members must be called on the engine's thread, unless they say otherwise.
/// Copies and runs are executed in the order in which they are queued, and are done only after <see cref="Synchronize"/>.
/// </summary>
internal abstract class ExecutionDevice : IDisposable
{
    /// <summary>The device's name for users.</summary>
    public abstract string Description { get; }

    /// <summary>Sentences that every user of the device should read; empty if the device is as requested.</summary>
    public virtual IReadOnlyList<string> Notices => [];

    /// <summary>The device of the arena, as ONNX Runtime's run options name it to shrink the arena.</summary>
    public abstract string Arena { get; }

    /// <summary>The memory of this device's tensors, as ONNX Runtime describes it.</summary>
    public abstract OrtMemoryInfo Memory { get; }

    /// <summary>
    /// Waits until this engine may use the device, if engines of one process share it, one at a time. All runs, copies, creations of
    /// sessions, allocations and releases of device memory must happen between this call and the end of the lease. Nested calls return at
    /// once.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The lease; the caller disposes it.</returns>
    public virtual DeviceLease Enter(CancellationToken cancellationToken) => DeviceLease.Free;

    /// <summary>
    /// A number that changes whenever another engine has used the device. A run that was captured at another value must not be replayed,
    /// because the other engine may have used the memory that the run refers to.
    /// </summary>
    public virtual long CaptureEpoch => 0;

    /// <summary>
    /// Waits until the device has finished all work, and reports no failure. For the end of a batch that failed or was cancelled, before
    /// another engine is admitted.
    /// </summary>
    public virtual void Settle() { }

    /// <summary>Creates the options of a session of this device; the caller disposes them.</summary>
    /// <param name="traits">The session's properties.</param>
    public abstract SessionOptions CreateSessionOptions(SessionTraits traits);

    /// <summary>Creates run options of this device; the caller disposes them.</summary>
    public abstract RunOptions CreateRunOptions();

    /// <summary>Allocates device memory, aligned to 256 bytes.</summary>
    public abstract NativeBuffer Allocate(long bytes);

    /// <summary>Allocates host memory from which the device copies fastest, aligned to 256 bytes.</summary>
    public abstract NativeBuffer AllocateHost(long bytes);

    /// <summary>Queues a copy from host memory to device memory.</summary>
    public abstract void Upload(nint host, nint device, long bytes);

    /// <summary>Queues a copy from device memory to host memory.</summary>
    public abstract void Download(nint device, nint host, long bytes);

    /// <summary>Queues a copy within device memory.</summary>
    public abstract void Copy(nint from, nint to, long bytes);

    /// <summary>Waits until all queued work is done.</summary>
    public abstract void Synchronize();

    /// <summary>
    /// Begins to load the weights that a component's stages take as inputs. Returns before they are loaded; the caller disposes them.
    /// </summary>
    /// <param name="component">The component.</param>
    /// <param name="plan">
    /// The places of the weights; null means that all are resident. Ignored by devices that read weights directly from the mapped files.
    /// </param>
    /// <param name="loras">The LoRAs that change the weights; null if there are none.</param>
    /// <param name="stopping">Stops a load that does not return before it is complete.</param>
    public abstract StageWeights LoadWeights(
        ComponentSpec component, ComponentPlan? plan, AppliedLoras? loras, CancellationToken stopping);

    /// <summary>Whether weights are loaded before their first use, while the engine's thread does other work.</summary>
    public virtual bool LoadsAhead => false;

    /// <summary>Number of threads that create sessions before their first use; 0 if sessions are created when they are needed.</summary>
    public virtual int SessionThreads => 0;

    /// <summary>Whether the device can capture runs; false after a capture has failed.</summary>
    public virtual bool CapturesRuns => false;

    /// <summary>Captures the work that <paramref name="run"/> queues, without executing it.</summary>
    /// <returns>The captured run; the caller disposes it. Null if the capture failed; later captures are not tried.</returns>
    public virtual CapturedRun? Capture(Action run) => null;

    /// <summary>Whether ONNX Runtime failed because the device's memory is used up.</summary>
    public virtual bool IsOutOfMemory(OnnxRuntimeException exception) => false;

    /// <summary>
    /// The exception that reports a failure of ONNX Runtime: <see cref="DeviceMemoryException"/>, <see cref="OpenFileLimitException"/> or
    /// <see cref="InferenceException"/>.
    /// </summary>
    /// <param name="exception">The failure.</param>
    /// <param name="part">The part of the model.</param>
    /// <param name="doing">ONNX Runtime's action, in words that <paramref name="place"/> follows.</param>
    /// <param name="place">The place of the failure, in words.</param>
    public MuseAtelierException Failure(OnnxRuntimeException exception, string part, string doing, string place) => IsOutOfMemory(exception)
        ? DeviceMemoryException.Of(place, exception)
        : OpenFileLimitException.Of(exception)
            ?? (MuseAtelierException)new InferenceException(part, $"ONNX Runtime {doing} {place} ({exception.Message})", exception);

    /// <summary>
    /// Bytes that the device's context took when it was created, as the driver counts them; null if there is no context, the process had
    /// one already, or the driver does not report it.
    /// </summary>
    public virtual long? ContextBytes => null;

    /// <summary>
    /// Bytes that the process held on the device when this engine was opened and had loaded nothing: the context, and the code that
    /// NVIDIA's libraries keep of earlier engines. Null if other engines were open, or if the driver does not report it.
    /// </summary>
    public virtual long? BaselineBytes => null;

    /// <summary>
    /// Bytes of device memory that this engine holds for <see cref="Allocate"/> and for weights, without sessions and arenas.
    /// </summary>
    public virtual long AllocatedBytes => 0;

    /// <summary>
    /// Bytes of the shared arena that this engine accounts for: the constants of its sessions, and all working memory, because every
    /// engine may use it.
    /// </summary>
    /// <param name="constantBytes">Bytes of constants that this engine's sessions hold there.</param>
    public virtual long SharedArenaBytes(long constantBytes) => ArenaStatistics?.Read()?.Held ?? constantBytes;

    /// <summary>
    /// Bytes that this process holds on the device, as the driver counts them; for a CPU, its anonymous memory. Null if unknown. May
    /// be called on any thread.
    /// </summary>
    public virtual long? ProcessBytes() => null;

    /// <summary>Bytes that are free on the device; null for a CPU. May be called on any thread.</summary>
    public virtual long? FreeBytes() => null;

    /// <summary>Statistics of the arena that sessions share; null if each session has its own.</summary>
    public virtual ArenaStatistics? ArenaStatistics => null;

    /// <inheritdoc/>
    public abstract void Dispose();
}
