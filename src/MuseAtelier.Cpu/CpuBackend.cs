using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cpu;

/// <summary>Runs an atelier on the processor.</summary>
public sealed class CpuBackend : Backend
{
    /// <summary>The most threads that are taken where there are fewer processors: enough to repeat what a large machine painted.</summary>
    public const int MostThreads = 64;

    private readonly int _threads;

    private CpuBackend(int threads) => _threads = threads;

    internal override Lowering Lowering => Lowering.Portable;

    internal override DeviceProfile Profile => DeviceProfile.Processor;

    /// <summary>A backend for the processor.</summary>
    /// <param name="threads">
    /// Threads of the arithmetic; 0 means one for each processor that the process may use. A picture's last bits depend on it. More than
    /// <see cref="MostThreads"/>, or than there are processors if those are more, are not taken. The first atelier of a process decides
    /// for all, since they share one pool. Where fewer or other threads run than were asked for, pictures carry a notice, and their
    /// device says how many ran.
    /// </param>
    public static Backend Create(int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        return new CpuBackend(threads);
    }

    internal override void Require() => OnnxLibrary.Require();

    internal override long DefaultMemoryBudget() => HostMemory.DefaultBudget();

    internal override ExecutionDevice Open(ModelPackage package, AtelierOptions options, CancellationToken cancellationToken = default) =>
        new CpuDevice(package, _threads, options);
}
