using System.Globalization;
using MuseAtelier.Export.Lowerings;
using MuseAtelier.Export.Networks;
using MuseAtelier.Packages;

namespace MuseAtelier.Export.Packaging;

/// <summary>A weight and its place in the package.</summary>
internal sealed record PlacedWeight(LoweredWeight Weight, string File, long Offset);

/// <summary>
/// A component as the package will hold it, with nothing written yet. <c>graphs/</c> holds ONNX files and, beside them, the constants of
/// convolution stages; <c>weights/</c> holds what transformer stages take as inputs, packed stage by stage.
/// </summary>
/// <param name="Spec">The component as the manifest states it.</param>
/// <param name="Weights">Every weight, in the order of its file.</param>
/// <param name="Graphs">Content of every graph's file, by name.</param>
internal sealed record ComponentLayout(ComponentSpec Spec, IReadOnlyList<PlacedWeight> Weights, IReadOnlyDictionary<string, byte[]> Graphs)
{
    /// <summary>Alignment of a weight in a packed file, in bytes: what device memory is aligned to as well.</summary>
    private const int WeightAlignment = 256;

    /// <summary>Alignment of a stage's first weight, and of every constant, in bytes: a page, so that it can be mapped and read by itself.</summary>
    private const int StageAlignment = 4096;

    /// <summary>Bytes of all weights, without what aligns them.</summary>
    public long WeightBytes => Weights.Sum(placed => placed.Weight.Bytes);

    public static ComponentLayout Of(Network network, Lowering lowering, string version)
    {
        string packedFile = $"weights/{network.Name}.weights", constantFile = $"{network.Name}.constants";
        var tensors = new Dictionary<string, TensorSpec>();
        var graphs = new Dictionary<string, byte[]>();
        var graphNames = new Dictionary<string, string>();
        var weights = new List<PlacedWeight>();
        var stages = new List<StageSpec>();
        long packedEnd = 0, constantEnd = 0;
        foreach (Stage stage in StagePartition.Cut(network))
        {
            LoweredStage lowered = GraphLowering.For(lowering, network.Precision).Lower(stage);
            foreach (LoweredValue value in lowered.Inputs.Concat(lowered.Outputs)) tensors[value.Spec.Name] = value.Spec;
            var packed = new List<WeightSpec>();
            bool isPacked = stage.Kind == StageKind.Transformer;
            if (isPacked) packedEnd = Align(packedEnd, StageAlignment);
            foreach (LoweredWeight weight in lowered.Weights)
            {
                if (isPacked)
                {
                    long offset = Align(packedEnd, WeightAlignment);
                    packed.Add(new WeightSpec(weight.Graph, weight.Weight.Source, weight.Type, weight.Shape, packedFile, offset));
                    weights.Add(new PlacedWeight(weight, packedFile, offset));
                    packedEnd = offset + weight.Bytes;
                }
                else
                {
                    long offset = Align(constantEnd, StageAlignment);
                    lowered.Graph.ExternalConstant(weight.Graph, weight.Type, weight.Shape, constantFile, offset, weight.Bytes);
                    weights.Add(new PlacedWeight(weight, $"graphs/{constantFile}", offset));
                    constantEnd = offset + weight.Bytes;
                }
            }

            stages.Add(new StageSpec
            {
                Name = stage.Name,
                Kind = stage.Kind,
                Graph = GraphName(lowered.Graph.Serialize(version), stage.Kind),
                Inputs = [.. lowered.Inputs.Select(value => new BindingSpec(value.Graph, value.Spec.Name))],
                Outputs = [.. lowered.Outputs.Select(value => new BindingSpec(value.Graph, value.Spec.Name))],
                Weights = packed,
                ConstantBytes = isPacked ? 0 : lowered.Weights.Sum(weight => weight.Bytes),
            });
        }

        List<string> inputs = [.. network.Inputs.Select(value => value.Name)], outputs = [.. network.Outputs.Select(value => value.Name)];
        var spec = new ComponentSpec
        {
            Name = network.Name,
            Inputs = [.. inputs.Select(name => tensors[name])],
            Outputs = [.. outputs.Select(name => tensors[name])],
            Intermediates = [.. tensors.Values.Where(tensor => !inputs.Contains(tensor.Name) && !outputs.Contains(tensor.Name))],
            Stages = stages,
        };
        return new ComponentLayout(spec, weights, graphs);

        // Stages of equal shape come out equal to the byte, and share a file.
        string GraphName(byte[] model, StageKind kind)
        {
            string digest = Sha256.Hash(model);
            if (graphNames.TryGetValue(digest, out string? known)) return known;
            string name = string.Create(CultureInfo.InvariantCulture, $"graphs/{network.Name}-{(kind == StageKind.Transformer ? "transformer" : "convolution")}-{graphs.Count:00}.onnx");
            graphs[name] = model;
            return graphNames[digest] = name;
        }
    }

    private static long Align(long position, int alignment) => (position + alignment - 1) & ~(alignment - 1L);
}
