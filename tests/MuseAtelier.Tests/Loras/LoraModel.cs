using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Loras;
using MuseAtelier.Format;

namespace MuseAtelier.Tests.Loras;

/// <summary>Made-up weights of a package and made-up LoRAs for them, and a direct computation in double.</summary>
internal sealed class LoraModel : IDisposable
{
    public const string UNet = "model.diffusion_model.";
    public const string ClipL = "conditioner.embedders.0.transformer.text_model.";
    public const string ClipG = "conditioner.embedders.1.model.";

    private readonly Random _random = new(7);
    private readonly Checkpoints.TemporaryFolder _folder = new();
    private readonly List<(string Component, WeightSpec Weight)> _weights = [];
    private readonly List<IDisposable> _files = [];
    private int _number;

    /// <summary>A weight whose slice is the whole tensor.</summary>
    public WeightSpec Add(
        string component, string key, long[] shape, WeightLayout layout = WeightLayout.Stored, ElementType type = ElementType.F32)
    {
        long rows = layout == WeightLayout.Transposed ? shape[1] : shape[0];
        return Add(component, [new TensorSlice(key, 0, rows)], shape, layout, type);
    }

    public WeightSpec Add(string component, TensorSlice[] slices, long[] shape, WeightLayout layout = WeightLayout.Stored,
        ElementType type = ElementType.F32)
    {
        var weight = new WeightSpec($"w{_weights.Count}", slices, type, shape, "weights", 0) { Layout = layout };
        _weights.Add((component, weight));
        return weight;
    }

    /// <summary>The few tensors by which the parts of a model are recognised.</summary>
    public LoraModel WithMarks()
    {
        Add(ComponentNames.UNet, UNet + "input_blocks.0.0.weight", [8, 4, 3, 3]);
        Add(ComponentNames.ClipL, ClipL + "embeddings.token_embedding.weight", [8, 4]);
        Add(ComponentNames.ClipG, ClipG + "token_embedding.weight", [8, 4]);
        return this;
    }

    public PackageManifest Manifest(string? folder = null) => new()
    {
        FormatVersion = PackageManifest.CurrentFormatVersion,
        ExporterVersion = "1",
        Lowering = Lowering.Portable,
        Checkpoint = new CheckpointSpec("model", new string('0', 64), 1),
        Files = [],
        Folder = folder,
        Components = [.. _weights.GroupBy(entry => entry.Component).Select(group => new ComponentSpec
        {
            Name = group.Key,
            Inputs = [],
            Outputs = [],
            Intermediates = [],
            Stages = [.. group.Select(entry => new StageSpec
            {
                Name = entry.Weight.Graph,
                Kind = StageKind.Transformer,
                Graph = "graph",
                Inputs = [],
                Outputs = [],
                Weights = [entry.Weight],
                Constants = [],
            })],
        })],
    };

    public float[] Values(long count, double size = 1)
    {
        float[] values = new float[count];
        for (int i = 0; i < values.Length; i++) values[i] = (float)((_random.NextDouble() * 2 - 1) * size);
        return values;
    }

    public LoraTensorData Tensor(string name, params long[] shape) =>
        new(name, shape, Values(shape.Aggregate(1L, (product, size) => product * size)));

    public LoraFile File(params LoraTensorData[] tensors) => File(ElementType.F32, null, tensors);

    public LoraFile File(ElementType type, IReadOnlyDictionary<string, string>? metadata, params LoraTensorData[] tensors)
    {
        var file = LoraFile.Open(Write(type, metadata, tensors));
        _files.Add(file);
        return file;
    }

    public string Write(ElementType type, IReadOnlyDictionary<string, string>? metadata, params LoraTensorData[] tensors)
    {
        string path = _folder[$"lora-{_number++}.safetensors"];
        SafetensorsDeclaration[] declarations = [.. tensors.Select(tensor => new SafetensorsDeclaration(tensor.Name, type, tensor.Shape))];
        using SafetensorsWriter writer = SafetensorsWriter.Create(path, declarations, metadata);
        foreach (LoraTensorData tensor in tensors) writer.Write(tensor.Values);
        writer.Complete();
        return path;
    }

    public string Path(string name) => _folder[name];

    public LoraSet Set(params LoraUse[] uses) => LoraSet.Of(Manifest(), uses);

    /// <summary>Merges a weight of random values and returns it before and after, both in the checkpoint's order.</summary>
    public static (double[] Before, float[] After) Merge(LoraSet set, WeightSpec weight, float[] stored)
    {
        float[] merged = new float[weight.Elements];
        byte[] bytes = new byte[weight.Bytes];
        FloatEncoding.Encode(stored, weight.Type, bytes);
        set.Merge(weight, bytes, merged);
        float[] decoded = new float[weight.Elements];
        FloatDecoding.Decode(weight.Type, bytes, decoded);
        double[] before = Array.ConvertAll(Ordered(weight, decoded), value => (double)value);
        return (before, Ordered(weight, merged));
    }

    // The order of the checkpoint: [out, in, rows, columns], or the transpose.
    private static float[] Ordered(WeightSpec weight, float[] values)
    {
        if (weight.Layout == WeightLayout.Stored) return values;
        float[] ordered = new float[values.Length];
        int inner = (int)weight.Shape[^1], outer = (int)weight.Shape[0], plane = values.Length / inner / outer;
        for (int i = 0; i < values.Length; i++)
        {
            (int o, int p, int c) = (i / (plane * inner), i / inner % plane, i % inner);
            ordered[weight.Layout == WeightLayout.ChannelsLast ? (o * inner + c) * plane + p : c * outer + o] = values[i];
        }

        return ordered;
    }

    public void Dispose()
    {
        foreach (IDisposable file in _files) file.Dispose();
        _folder.Dispose();
    }
}

/// <summary>A tensor of a made-up LoRA.</summary>
internal sealed record LoraTensorData(string Name, long[] Shape, float[] Values)
{
    /// <summary>An element in double, by its indices.</summary>
    public double this[params ReadOnlySpan<long> index]
    {
        get
        {
            long offset = 0;
            for (int i = 0; i < Shape.Length; i++) offset = offset * Shape[i] + (i < index.Length ? index[i] : 0);
            return Values[offset];
        }
    }
}
