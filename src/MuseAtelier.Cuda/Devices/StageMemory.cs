using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>The file range, pinned memory and device address of one stage's weights.</summary>
internal sealed class StageMemory
{
    private StageMemory(FileRange from, WeightPlacement placement) => (From, Placement) = (from, placement);

    /// <summary>The file range of all the stage's weights, which the package keeps together.</summary>
    public FileRange From { get; }

    /// <summary>Where the plan puts them.</summary>
    public WeightPlacement Placement { get; }

    /// <summary>Size in bytes.</summary>
    public long Bytes => From.Bytes;

    /// <summary>Their device address while the stage runs.</summary>
    public nint Device { get; set; }

    /// <summary>The stage's number among the streamed ones; -1 for any other.</summary>
    public int Streamed { get; set; } = -1;

    /// <summary>Their copy in pinned memory; null where there is none.</summary>
    public PinnedBuffer? Host { get; private set; }

    public static StageMemory Of(ModelPackage package, StageSpec stage, WeightPlacement placement)
    {
        if (stage.Weights.Count == 0) return new StageMemory(default, placement);
        string file = stage.Weights[0].File;
        if (stage.Weights.Any(weight => weight.File != file))
            throw new PackageManifestException(package.Folder, $"the manifest scatters {stage.Name} over several files");
        long first = stage.Weights.Min(weight => weight.Offset);
        long end = stage.Weights.Max(weight => weight.Offset + weight.Bytes);
        return new StageMemory(new FileRange(package.PathOf(file), first, end - first), placement);
    }

    /// <summary>Reads them into pinned memory. They stay in their file where the system has no more pinned memory.</summary>
    public void FillHost()
    {
        PinnedBuffer? host = PinnedBuffer.TryTake(Bytes);
        if (host is null) return;
        try
        {
            FileRangeReader.Read(From, host.Address);
        }
        catch
        {
            host.Dispose();
            throw;
        }

        Host = host;
    }
}
