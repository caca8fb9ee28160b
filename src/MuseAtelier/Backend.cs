using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier;

/// <summary>Where an atelier runs. Made by a backend package (MuseAtelier.Cpu, MuseAtelier.Cuda), which also brings the native runtime.</summary>
public abstract class Backend
{
    private protected Backend() { }

    /// <summary>The lowering of the packages that this backend runs.</summary>
    internal abstract Lowering Lowering { get; }

    /// <summary>What the device costs and how fast it is.</summary>
    internal abstract DeviceProfile Profile { get; }

    /// <summary>Fails where the device is not there or cannot be used: before anything is exported or loaded for it.</summary>
    internal virtual void Require() { }

    /// <summary>Bytes of memory that the process may hold where a processor paints and no budget was given: what is free; <see cref="long.MaxValue"/> where that is not known.</summary>
    internal virtual long DefaultMemoryBudget() => long.MaxValue;

    /// <summary>Takes hold of the device; called on the thread that will run everything.</summary>
    /// <param name="package">The package that will run; borrowed for the device's life.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Ends the wait for a device that another engine uses.</param>
    internal abstract ExecutionDevice Open(ModelPackage package, AtelierOptions options, CancellationToken cancellationToken = default);
}
