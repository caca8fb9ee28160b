using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cpu;

/// <summary>Runs an atelier on the CPU.</summary>
public sealed class CpuBackend : Backend
{
    /// <summary>
    /// The most threads that run on a machine with fewer processors; enough to reproduce the pictures of a large machine.
    /// </summary>
    public const int MostThreads = 64;

    private readonly int _threads;

    private CpuBackend(int threads) => _threads = threads;

    internal override Lowering Lowering => Lowering.Portable;

    internal override DeviceProfile Profile => DeviceProfile.Processor;

    /// <summary>Creates a backend for the CPU.</summary>
    /// <param name="threads">
    /// Threads of the arithmetic; 0, the default, means one for each processor that the process may use. A picture's last bits depend on
    /// the number. At most <see cref="MostThreads"/> threads run, or as many as there are processors if that is more. The first atelier
    /// of a process decides for all, because they share one pool. Where another number of threads runs than was requested, pictures carry
    /// a notice, and their device says how many ran.
    /// </param>
    public static Backend Create(int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        return new CpuBackend(threads);
    }

    internal override void Require() => OnnxLibrary.Require();

    internal override long DefaultHostMemory() => HostMemory.DefaultBudget();

    internal override ExecutionDevice Open(
        ModelPackage package, AtelierOptions options, CancellationToken cancellationToken = default) =>
        new CpuDevice(package, _threads, options);
}
