using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Networks;

/// <summary>Recognises the network of an upscaler's file by the names of its tensors, and describes it.</summary>
internal static class UpscalerNetworks
{
    // Training keeps a running mean of the weights, which gives better pictures than the weights themselves.
    private static readonly string[] Preferred = ["params_ema.", "params-ema.", "params."];

    private static readonly RrdbNames[] RrdbNamings = [RrdbNames.Worded, RrdbNames.Numbered, RrdbNames.Trunk];

    /// <summary>Describes every component of an upscaler.</summary>
    /// <param name="file">The file.</param>
    /// <param name="precision">The arithmetic of the network.</param>
    /// <exception cref="CheckpointException">The file holds another network, or lacks tensors.</exception>
    public static (IReadOnlyList<Network> Networks, UpscalerSpec Spec) Describe(TensorFile file, ElementType precision)
    {
        var problems = new TensorProblems();
        (Func<string, ElementType, Network> describe, UpscalerSpec spec) = Recognise(file, problems);
        List<Network> networks = [describe(ComponentNames.Upscaler, precision)];
        // Some pictures of some models overflow fp16; those are enlarged again in fp32.
        if (precision == ElementType.F16) networks.Add(describe(ComponentNames.UpscalerFp32, ElementType.F32));
        problems.ThrowIfAny(file, isUpscaler: true);
        return (networks, spec);
    }

    private static (Func<string, ElementType, Network> Describe, UpscalerSpec Spec) Recognise(TensorFile file, TensorProblems problems)
    {
        if (UpscalerKinds.Find(file) is { } kind) throw new UpscalerKindException(file.Path, kind, UpscalerKinds.Sample(file));
        var names = new TensorNames(file);
        foreach (RrdbNames naming in RrdbNamings)
        {
            if (PrefixOf(file, naming.Mark) is not { } prefix) continue;
            var network = new RrdbNetwork(new CheckpointWeights(file, names, prefix, problems), naming);
            return (network.Describe, network.Spec(Parameters(file, prefix)));
        }

        if (CompactPrefix(file) is not { } compact) throw new UpscalerKindException(file.Path, null, UpscalerKinds.Sample(file));
        var small = new CompactNetwork(new CheckpointWeights(file, names, compact, problems));
        return (small.Describe, small.Spec(Parameters(file, compact)));
    }

    private static string? CompactPrefix(TensorFile file)
    {
        string? prefix = PrefixOf(file, CompactNetwork.Mark);
        bool isCompact = prefix is not null
            && file.Tensors[prefix + CompactNetwork.Mark].Shape.Count == 4
            && file.Tensors.TryGetValue(prefix + CompactNetwork.SlopeMark, out SafetensorsTensor? slopes)
            && slopes.Shape.Count == 1;
        return isCompact ? prefix : null;
    }

    // The part of a name before a mark. Of several, the preferred one, or else the shortest.
    private static string? PrefixOf(TensorFile file, string mark)
    {
        IEnumerable<string> prefixes = file.Tensors.Keys
            .Where(name => name.EndsWith(mark, StringComparison.Ordinal))
            .Select(name => name[..^mark.Length])
            .Where(prefix => prefix.Length == 0 || prefix[^1] == '.');
        return prefixes.OrderBy(Rank).ThenBy(prefix => prefix.Length).ThenBy(prefix => prefix, StringComparer.Ordinal).FirstOrDefault();
    }

    private static int Rank(string prefix)
    {
        int index = Array.FindIndex(Preferred, preferred => prefix.Contains(preferred, StringComparison.Ordinal));
        return index < 0 ? Preferred.Length : index;
    }

    private static long Parameters(TensorFile file, string prefix) => file.Tensors.Values
        .Where(tensor => tensor.WeightType is not null && tensor.Name.StartsWith(prefix, StringComparison.Ordinal))
        .Aggregate(0L, (sum, tensor) => sum + tensor.Elements);
}
