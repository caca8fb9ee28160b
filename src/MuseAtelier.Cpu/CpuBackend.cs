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
    private readonly bool _spins;

    private CpuBackend(int threads, bool spins)
    {
        _threads = threads;
        _spins = spins;
    }

    internal override Lowering Lowering => Lowering.Portable;

    internal override DeviceProfile Profile => DeviceProfile.Processor;

    /// <summary>Creates a backend for the CPU.</summary>
    /// <param name="threads">
    /// Threads of the arithmetic; 0, the default, means one for each processor that the process may use. A picture's last bits depend on
    /// the number. At most <see cref="MostThreads"/> threads run, or as many as there are processors if that is more. The first atelier
    /// of a process decides for all, because they share one pool. Where another number of threads runs than was requested, pictures carry
    /// a notice, and their device says how many ran.
    /// </param>
    /// <param name="spins">
    /// Whether a thread that waits for its next piece of work keeps its processor busy for a while before it sleeps. True, the default,
    /// saves the time of waking it up, where the atelier has the processors for itself. False leaves them to other work meanwhile: to a
    /// server's other threads, or to another atelier. Pictures have the same bytes with both. Threads never spin if there are more of them
    /// than processors. As with the number of threads, the first atelier of a process decides for all.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The number of threads is negative.</exception>
    public static Backend Create(int threads = 0, bool spins = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        return new CpuBackend(threads, spins);
    }

    internal override void Require() => OnnxLibrary.Require();

    internal override long DefaultHostMemory() => HostMemory.DefaultBudget();

    internal override ExecutionDevice Open(
        ModelPackage package, AtelierOptions options, CancellationToken cancellationToken = default) =>
        new CpuDevice(package, _threads, _spins, options);
}
