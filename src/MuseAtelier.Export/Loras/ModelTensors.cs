using MuseAtelier.Format;

namespace MuseAtelier.Export.Loras;

/// <summary>A tensor of the checkpoint, as the weights of a package that are made of it show.</summary>
/// <param name="Key">Its name.</param>
/// <param name="Rows">Its first dimension.</param>
/// <param name="Inner">Its other dimensions.</param>
internal sealed record ModelTensor(string Key, long Rows, IReadOnlyList<long> Inner)
{
    /// <summary>Elements of a row.</summary>
    public long RowLength => Inner.Aggregate(1L, (product, size) => checked(product * size));
}

/// <summary>The tensors of the UNet and of both text encoders that the weights of a package are made of.</summary>
internal sealed class ModelTensors
{
    private static readonly string[] UNetComponents =
        [ComponentNames.UNet, ComponentNames.CrossAttention, ComponentNames.TimeEmbedding];

    private ModelTensors(
        IReadOnlyDictionary<string, ModelTensor> unet, IReadOnlyDictionary<string, ModelTensor> clipL,
        IReadOnlyDictionary<string, ModelTensor> clipG) =>
            (UNet, ClipL, ClipG) = (unet, clipL, clipG);

    /// <summary>The tensors of the UNet by name.</summary>
    public IReadOnlyDictionary<string, ModelTensor> UNet { get; }

    /// <summary>The tensors of CLIP-L by name.</summary>
    public IReadOnlyDictionary<string, ModelTensor> ClipL { get; }

    /// <summary>The tensors of CLIP-G by name.</summary>
    public IReadOnlyDictionary<string, ModelTensor> ClipG { get; }

    /// <summary>Lists the tensors of a package.</summary>
    public static ModelTensors Of(PackageManifest manifest) =>
        new(Read(manifest, UNetComponents), Read(manifest, ComponentNames.ClipL), Read(manifest, ComponentNames.ClipG));

    /// <summary>A tensor of any part; null where no weight is made of it.</summary>
    public ModelTensor? Find(string key) =>
        UNet.GetValueOrDefault(key) ?? ClipL.GetValueOrDefault(key) ?? ClipG.GetValueOrDefault(key);

    private static Dictionary<string, ModelTensor> Read(PackageManifest manifest, params string[] components)
    {
        var tensors = new Dictionary<string, ModelTensor>(StringComparer.Ordinal);
        IEnumerable<WeightSpec> weights = manifest.Components.Where(component => components.Contains(component.Name))
            .SelectMany(component => component.Stages).SelectMany(stage => stage.Weights.Concat(stage.Constants));
        foreach (WeightSpec weight in weights)
        {
            foreach (TensorSlice slice in weight.Slices)
            {
                long rows = slice.FirstRow + slice.Rows;
                bool isKnown = tensors.TryGetValue(slice.Key, out ModelTensor? known);
                if (isKnown) tensors[slice.Key] = known! with { Rows = Math.Max(known.Rows, rows) };
                else tensors[slice.Key] = new ModelTensor(slice.Key, rows, Inner(weight));
            }
        }

        return tensors;
    }

    private static long[] Inner(WeightSpec weight) => weight.Layout switch
    {
        WeightLayout.Transposed => [weight.Shape[0]],
        WeightLayout.ChannelsLast => [weight.Shape[3], weight.Shape[1], weight.Shape[2]],
        _ => [.. weight.Shape.Skip(1)],
    };
}
