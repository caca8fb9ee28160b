using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>The memory of one stage's weights.</summary>
/// <param name="range">The weights in the package, which identify them.</param>
/// <param name="placement">The place of the weights.</param>
internal sealed class StageMemory(WeightRange range, StagePlacement placement)
{
    /// <summary>The weights in the package: the bytes of which the memory holds a copy.</summary>
    public WeightRange Range => range;

    /// <summary>The place of the weights.</summary>
    public StagePlacement Placement => placement;

    /// <summary>Size in bytes.</summary>
    public long Bytes => range.Length;

    /// <summary>Device address of the first byte.</summary>
    public nint Device { get; set; }

    /// <summary>The copy in pinned memory; null if there is none.</summary>
    public PinnedBuffer? Host { get; private set; }

    /// <summary>Device address of one of the stage's weights.</summary>
    public nint Address(WeightSpec weight) => Device + (nint)(weight.Offset - range.Offset);

    /// <summary>Reads the weights into pinned memory. Does nothing if the system has no more pinned memory.</summary>
    public void FillHost(WeightFiles files)
    {
        PinnedBuffer? host = PinnedBuffer.TryTake(Bytes);
        if (host is null) return;
        try
        {
            files.Read(range, host.Address);
        }
        catch
        {
            host.Dispose();
            throw;
        }

        Host = host;
    }
}
