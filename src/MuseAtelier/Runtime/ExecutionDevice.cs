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

    /// <summary>What the device costs and how fast it is.</summary>
    public abstract DeviceProfile Profile { get; }

    /// <summary>Bytes of memory that a process may take of the device now, where nothing else limits it.</summary>
    public abstract long FreeBytes { get; }

    /// <summary>Where the arena lies, as ONNX Runtime's run options name it: what they empty when they are told to.</summary>
    public abstract string Arena { get; }

    /// <summary>Where tensors of this device lie, as ONNX Runtime names it.</summary>
    public abstract OrtMemoryInfo Memory { get; }

    /// <summary>Options of a session of this device; the caller disposes them.</summary>
    public abstract SessionOptions CreateSessionOptions();

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

    /// <summary>Where a transformer stage's weight lies for this device while the stage runs.</summary>
    public abstract nint Weight(WeightSpec weight);

    /// <inheritdoc/>
    public abstract void Dispose();
}
