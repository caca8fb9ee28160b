using System.Globalization;
using MuseAtelier.Export.Lowerings;
using MuseAtelier.Export.Networks;
using MuseAtelier.Packages;

namespace MuseAtelier.Export.Packaging;

/// <summary>
/// Writes components into a folder: <c>graphs/</c> holds ONNX files and, beside them, the constants of convolution stages;
/// <c>weights/</c> holds what transformer stages take as inputs, packed stage by stage.
/// </summary>
internal sealed class PackageWriter(string folder, Lowering lowering, string version, WeightTransfer transfer, Action<long> written, CancellationToken cancellationToken)
{
    /// <summary>Alignment of a weight in a packed file, in bytes: what device memory is aligned to as well.</summary>
    private const int WeightAlignment = 256;

    /// <summary>Alignment of a stage's first weight, in bytes: a page, so that a stage can be mapped and read by itself.</summary>
    private const int StageAlignment = 4096;

    private readonly List<FileSpec> _files = [];

    public IReadOnlyList<FileSpec> Files => _files;

    /// <summary>Bytes that <see cref="Write"/> will put into weight files, for progress.</summary>
    public static long WeightBytes(Network network, Lowering lowering) =>
        StagePartition.Cut(network).Sum(stage => GraphLowering.For(lowering, network.Precision).Lower(stage).Weights.Sum(weight => weight.Bytes));

    public ComponentSpec Write(Network network)
    {
        var tensors = new Dictionary<string, TensorSpec>();
        var graphs = new Dictionary<string, string>();
        var stages = new List<StageSpec>();
        PackedFileWriter? weights = null, constants = null;
        try
        {
            foreach (Stage stage in StagePartition.Cut(network))
            {
                cancellationToken.ThrowIfCancellationRequested();
                LoweredStage lowered = GraphLowering.For(lowering, network.Precision).Lower(stage);
                foreach (LoweredValue value in lowered.Inputs.Concat(lowered.Outputs)) tensors[value.Spec.Name] = value.Spec;

                bool packed = stage.Kind == StageKind.Transformer;
                var placed = new List<WeightSpec>();
                if (packed)
                {
                    weights ??= new PackedFileWriter(folder, $"weights/{network.Name}.weights", written);
                    weights.PadTo(StageAlignment);
                    foreach (LoweredWeight weight in lowered.Weights)
                    {
                        weights.PadTo(WeightAlignment);
                        placed.Add(new WeightSpec(weight.Graph, weight.Weight.Source, weight.Type, weight.Shape, $"weights/{network.Name}.weights", weights.Position));
                        transfer.Write(weight, weights, cancellationToken);
                    }
                }
                else
                {
                    string file = $"{network.Name}.constants";
                    constants ??= new PackedFileWriter(folder, $"graphs/{file}", written);
                    foreach (LoweredWeight weight in lowered.Weights)
                    {
                        constants.PadTo(StageAlignment);
                        lowered.Graph.ExternalConstant(weight.Graph, weight.Type, weight.Shape, file, constants.Position, weight.Bytes);
                        transfer.Write(weight, constants, cancellationToken);
                    }
                }

                stages.Add(new StageSpec
                {
                    Name = stage.Name,
                    Kind = stage.Kind,
                    Graph = WriteGraph(network.Name, stage.Kind, lowered.Graph.Serialize(version), graphs),
                    Inputs = [.. lowered.Inputs.Select(value => new BindingSpec(value.Graph, value.Spec.Name))],
                    Outputs = [.. lowered.Outputs.Select(value => new BindingSpec(value.Graph, value.Spec.Name))],
                    Weights = placed,
                    ConstantBytes = packed ? 0 : lowered.Weights.Sum(weight => weight.Bytes),
                });
            }

            if (weights is not null) _files.Add(weights.Finish());
            if (constants is not null) _files.Add(constants.Finish());
        }
        finally
        {
            weights?.Dispose();
            constants?.Dispose();
        }

        List<string> inputs = [.. network.Inputs.Select(value => value.Name)], outputs = [.. network.Outputs.Select(value => value.Name)];
        return new ComponentSpec
        {
            Name = network.Name,
            Inputs = [.. inputs.Select(name => tensors[name])],
            Outputs = [.. outputs.Select(name => tensors[name])],
            Intermediates = [.. tensors.Values.Where(tensor => !inputs.Contains(tensor.Name) && !outputs.Contains(tensor.Name))],
            Stages = stages,
        };
    }

    private string WriteGraph(string component, StageKind kind, byte[] model, Dictionary<string, string> known)
    {
        string digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(model));
        if (known.TryGetValue(digest, out string? name)) return name;
        name = string.Create(CultureInfo.InvariantCulture, $"graphs/{component}-{(kind == StageKind.Transformer ? "transformer" : "convolution")}-{known.Count:00}.onnx");
        using var file = new PackedFileWriter(folder, name, _ => { });
        file.Write(model);
        _files.Add(file.Finish());
        return known[digest] = name;
    }
}
