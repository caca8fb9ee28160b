using MuseAtelier.Export.Loras;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Pipeline;

/// <summary>
/// The LoRAs of a request, opened and matched with a package. Holds their files until it is disposed.
/// </summary>
internal sealed class BatchLoras : IDisposable
{
    private readonly IReadOnlyList<LoraFileCache.Hold> _holds;
    private readonly Task<IReadOnlyList<UsedLora>> _used;

    /// <summary>Matches the files with a package, and begins to compute their digests.</summary>
    /// <param name="package">The package; borrowed.</param>
    /// <param name="loras">The LoRAs of a request.</param>
    /// <param name="holds">Their files; owned by this object.</param>
    public BatchLoras(ModelPackage package, IReadOnlyList<PictureLora> loras, IReadOnlyList<LoraFileCache.Hold> holds)
    {
        _holds = holds;
        Uses = UsesOf(loras, holds);
        var set = LoraSet.Of(package.Manifest, Uses);
        Notices = set.Notices;
        Applied = new AppliedLoras(package, set);
        LoraUse[] uses = [.. Uses];
        // A large file takes a while, in which its changes are merged.
        _used = Task.Run<IReadOnlyList<UsedLora>>(() => [.. uses.Select(Describe)]);
    }

    /// <summary>The files and their strengths.</summary>
    public IReadOnlyList<LoraUse> Uses { get; }

    /// <summary>The changes.</summary>
    public AppliedLoras Applied { get; }

    /// <summary>Sentences for the user about the files.</summary>
    public IReadOnlyList<string> Notices { get; }

    /// <summary>The files and their strengths as a picture states them. Waits for the digests.</summary>
    public IReadOnlyList<UsedLora> Used => _used.GetAwaiter().GetResult();

    /// <summary>The digits by which AUTOMATIC1111's texts name the files. Waits for the digests.</summary>
    public IReadOnlyList<string> ShortHashes
    {
        get
        {
            _ = Used;
            return [.. Uses.Select(use => use.File.ShortHash)];
        }
    }

    /// <summary>The files of a request and their strengths.</summary>
    public static IReadOnlyList<LoraUse> UsesOf(IReadOnlyList<PictureLora> loras, IReadOnlyList<LoraFileCache.Hold> holds) =>
        [.. loras.Zip(holds, (lora, hold) => new LoraUse(hold.File, lora.Strength, lora.TextStrength ?? lora.Strength))];

    /// <summary>
    /// Bytes of host memory that the merged weights of a package take on a device that otherwise reads weights from mapped files.
    /// </summary>
    /// <param name="lowering">The package's kind of device.</param>
    /// <param name="precisions">The arithmetic of the package's parts.</param>
    /// <param name="components">The package's components.</param>
    /// <param name="set">The changes.</param>
    public static long MergedBytes(
        Lowering lowering, Precisions precisions, IReadOnlyList<ComponentSpec> components, LoraSet set)
    {
        if (lowering != Lowering.Portable) return 0;
        long bytes = 0;
        long mostConstants = 0;
        foreach (ComponentSpec component in components)
        {
            bytes += component.Stages.SelectMany(stage => stage.Weights).Where(set.Touches).DistinctBy(weight => weight.Range).Sum(Bytes);
            // A session with changed constants is created from a model in memory, of which ONNX Runtime makes a copy.
            foreach (StageSpec stage in component.Stages)
                mostConstants = Math.Max(mostConstants, 2 * stage.Constants.Where(set.Touches).Sum(Bytes));
            long Bytes(WeightSpec weight) =>
                weight.Elements * AppliedLoras.TypeOf(lowering, precisions, component.Name, weight).Size();
        }

        return bytes + mostConstants + set.Bytes;
    }

    /// <summary>Frees the factors, which a later merge reads again.</summary>
    public void Forget()
    {
        foreach (LoraFileCache.Hold hold in _holds) hold.File.Forget();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The digests are read from the files.
        ((IAsyncResult)_used).AsyncWaitHandle.WaitOne();
        foreach (LoraFileCache.Hold hold in _holds) hold.Dispose();
    }

    private static UsedLora Describe(LoraUse use) => new()
    {
        Name = use.File.Name,
        Sha256 = use.File.Sha256,
        Strength = use.Strength,
        TextStrength = use.TextStrength,
    };
}
