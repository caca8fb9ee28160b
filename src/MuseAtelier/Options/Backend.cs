using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier;

/// <summary>
/// The kind of device on which an atelier runs. The packages MuseAtelier.Cpu and MuseAtelier.Cuda create backends and bring the native
/// runtime.
/// </summary>
public abstract class Backend
{
    private protected Backend() { }

    /// <summary>The lowering of the packages that this backend runs.</summary>
    internal abstract Lowering Lowering { get; }

    /// <summary>The memory costs and the speed of the device.</summary>
    internal abstract DeviceProfile Profile { get; }

    /// <summary>Throws if the device is missing or cannot be used. Called before anything is exported or loaded.</summary>
    internal virtual void Require() { }

    /// <summary>
    /// The budget of host memory if the options declare none: the bytes that are free, or <see cref="long.MaxValue"/> if that is unknown.
    /// </summary>
    internal virtual long DefaultHostMemory() => long.MaxValue;

    /// <summary>Opens the device. Called on the thread that will run everything.</summary>
    /// <param name="package">The package that will run; borrowed for the device's life.</param>
    /// <param name="options">The atelier's options.</param>
    /// <param name="cancellationToken">Ends the wait for a device that another engine uses.</param>
    internal abstract ExecutionDevice Open(ModelPackage package, AtelierOptions options, CancellationToken cancellationToken = default);
}
