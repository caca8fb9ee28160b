using MuseAtelier.Export.Lowerings;
using MuseAtelier.Export.Networks;
using MuseAtelier.Format;
using static System.FormattableString;

namespace MuseAtelier.Export.Packaging;

/// <summary>
/// The content of a component in the package, before anything is written. <c>graphs/</c> holds ONNX files and, beside them, the constants
/// of convolution stages. <c>weights/</c> holds the weights that are inputs of transformer stages, packed stage by stage.
/// </summary>
/// <param name="Spec">The component as the manifest states it.</param>
/// <param name="Weights">Every weight, in the order of its file.</param>
/// <param name="Graphs">The content of every graph file, by name.</param>
internal sealed record ComponentLayout(
    ComponentSpec Spec, IReadOnlyList<WeightSpec> Weights, IReadOnlyDictionary<string, byte[]> Graphs)
{
    /// <summary>Bytes of all weights, without the padding that aligns them.</summary>
    public long WeightBytes => Weights.Sum(weight => weight.Bytes);

    public static ComponentLayout Of(Network network, Lowering lowering, string version)
    {
        var builder = new ComponentLayoutBuilder(network, version);
        foreach (Stage stage in StagePartition.Cut(network))
            builder.Add(stage, GraphLowering.For(lowering, network.Precision).Lower(stage));
        return builder.Finish();
    }
}

/// <summary>Places the weights and the graphs of a component's stages, stage by stage.</summary>
internal sealed class ComponentLayoutBuilder
{
    private readonly Network _network;
    private readonly string _version;
    private readonly string _packedFile;
    private readonly string _constantFile;
    private readonly Dictionary<string, TensorSpec> _tensors = [];
    private readonly Dictionary<string, byte[]> _graphs = [];
    private readonly Dictionary<string, string> _graphNames = [];
    private readonly List<WeightSpec> _weights = [];
    private readonly List<StageSpec> _stages = [];
    private long _packedEnd;
    private long _constantEnd;

    /// <summary>Begins a component.</summary>
    /// <param name="network">The component's network.</param>
    /// <param name="version">The exporter's version, which the graphs state.</param>
    public ComponentLayoutBuilder(Network network, string version)
    {
        _network = network;
        _version = version;
        _packedFile = $"weights/{network.Name}.weights";
        _constantFile = $"{network.Name}.constants";
    }

    /// <summary>Places the next stage.</summary>
    public void Add(Stage stage, LoweredStage lowered)
    {
        foreach (LoweredValue value in lowered.Inputs.Concat(lowered.Outputs)) _tensors[value.Spec.Name] = value.Spec;
        bool isPacked = stage.Kind == StageKind.Transformer;
        List<WeightSpec> weights = isPacked ? Pack(lowered) : PlaceConstants(lowered);
        _weights.AddRange(weights);
        _stages.Add(new StageSpec
        {
            Name = stage.Name,
            Kind = stage.Kind,
            Graph = GraphName(lowered.Graph.Serialize(_version), stage.Kind),
            Inputs = [.. lowered.Inputs.Select(Bind)],
            Outputs = [.. lowered.Outputs.Select(Bind)],
            Weights = isPacked ? weights : [],
            Constants = isPacked ? [] : weights,
        });
    }

    /// <summary>The layout of all stages.</summary>
    public ComponentLayout Finish()
    {
        List<string> inputs = [.. _network.Inputs.Select(value => value.Name)];
        List<string> outputs = [.. _network.Outputs.Select(value => value.Name)];
        var spec = new ComponentSpec
        {
            Name = _network.Name,
            Inputs = [.. inputs.Select(name => _tensors[name])],
            Outputs = [.. outputs.Select(name => _tensors[name])],
            Intermediates = [.. _tensors.Values.Where(tensor => !inputs.Contains(tensor.Name) && !outputs.Contains(tensor.Name))],
            Stages = _stages,
        };
        return new ComponentLayout(spec, _weights, _graphs);
    }

    private List<WeightSpec> Pack(LoweredStage lowered)
    {
        var specs = new List<WeightSpec>();
        _packedEnd = PackageAlignment.OfStage(_packedEnd);
        foreach (LoweredWeight weight in lowered.Weights)
        {
            long offset = PackageAlignment.OfWeight(_packedEnd);
            specs.Add(weight.Spec(_packedFile, offset));
            _packedEnd = offset + weight.Bytes;
        }

        return specs;
    }

    private List<WeightSpec> PlaceConstants(LoweredStage lowered)
    {
        var specs = new List<WeightSpec>();
        foreach (LoweredWeight weight in lowered.Weights)
        {
            long offset = PackageAlignment.OfStage(_constantEnd);
            lowered.Graph.ExternalConstant(weight.Graph, weight.Type, weight.Shape, _constantFile, offset, weight.Bytes);
            specs.Add(weight.Spec($"graphs/{_constantFile}", offset));
            _constantEnd = offset + weight.Bytes;
        }

        return specs;
    }

    // Stages of equal shape have graphs that are equal to the byte, and share a file.
    private string GraphName(byte[] model, StageKind kind)
    {
        string digest = Sha256.Hash(model);
        if (_graphNames.TryGetValue(digest, out string? known)) return known;
        string kindName = kind == StageKind.Transformer ? "transformer" : "convolution";
        string name = Invariant($"graphs/{_network.Name}-{kindName}-{_graphs.Count:00}.onnx");
        _graphs[name] = model;
        return _graphNames[digest] = name;
    }

    private static BindingSpec Bind(LoweredValue value) => new(value.Graph, value.Spec.Name);
}
