using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cpu;

/// <summary>Runs an atelier on the processor.</summary>
public sealed class CpuBackend : Backend
{
    private readonly int _threads;

    private CpuBackend(int threads) => _threads = threads;

    internal override Lowering Lowering => Lowering.Portable;

    internal override DeviceProfile Profile => DeviceProfile.Processor;

    /// <summary>A backend for the processor.</summary>
    /// <param name="threads">Threads of the arithmetic; 0 means one for each core. The first atelier of a process decides for all.</param>
    public static Backend Create(int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        return new CpuBackend(threads == 0 ? Environment.ProcessorCount : threads);
    }

    internal override void Require() => OnnxLibrary.Require();

    internal override long DefaultMemoryBudget() => HostMemory.DefaultBudget();

    internal override ExecutionDevice Open(ModelPackage package, AtelierOptions options) => new CpuDevice(package, _threads, options);
}
