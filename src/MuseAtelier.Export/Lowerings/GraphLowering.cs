using System.Globalization;
using MuseAtelier.Export.Networks;
using MuseAtelier.Export.Onnx;
using MuseAtelier.Packages;
using static MuseAtelier.Export.Onnx.GraphBuilder;

namespace MuseAtelier.Export.Lowerings;

/// <summary>
/// Turns a stage's operations into an ONNX graph for one kind of device. This class holds what all devices compute alike: products,
/// layer norms, attention and embeddings on tokens; the subclasses know how images lie in memory and which fused operators there are.
/// </summary>
internal abstract class GraphLowering
{
    private readonly Dictionary<Value, string> _names = [];
    private readonly Dictionary<(string, ElementType), string> _casts = [];
    private readonly List<LoweredWeight> _weights = [];

    protected GraphBuilder Graph { get; } = new();

    /// <summary>The type of values that have none of their own.</summary>
    protected abstract ElementType ActivationType { get; }

    /// <summary>A fresh lowering for one stage.</summary>
    /// <param name="device">The kind of device.</param>
    /// <param name="precision">The type of values that have none of their own.</param>
    public static GraphLowering For(Lowering device, ElementType precision) => device switch
    {
        Lowering.Portable => new PortableLowering(precision),
        Lowering.Cuda => new CudaLowering(precision),
        _ => throw new ArgumentOutOfRangeException(nameof(device), device, null),
    };

    /// <summary>Lowers a stage; called once.</summary>
    public LoweredStage Lower(Stage stage)
    {
        var inputs = new List<LoweredValue>();
        foreach (Value value in stage.Inputs)
        {
            LoweredValue input = Border(value, "x", inputs.Count);
            _names[value] = input.Graph;
            Graph.Input(input.Graph, input.Spec.Type, input.Spec.Shape);
            inputs.Add(input);
        }

        foreach (Operation operation in Fuse(stage)) Lower(operation);

        var outputs = new List<LoweredValue>();
        foreach (Value value in stage.Outputs)
        {
            LoweredValue output = Border(value, "y", outputs.Count);
            Graph.Output(_names[value], output.Graph, output.Spec.Type, output.Spec.Shape);
            outputs.Add(output);
        }

        // Weights of a transformer stage are inputs, so that stages of equal shape share the graph; those of a convolution stage
        // get their place in a file only now that the graph is known, and are added as constants by the package's writer.
        if (stage.Kind == StageKind.Transformer)
            foreach (LoweredWeight weight in _weights) Graph.Input(weight.Graph, weight.Type, [.. weight.Shape.Select(Dimension.Of)]);
        return new LoweredStage(Graph, inputs, outputs, _weights);
    }

    /// <summary>Type and dimensions of a value in memory.</summary>
    public TensorSpec Spec(Value value) => new(value.Name, TypeOf(value), value.Kind == ValueKind.Image ? ImageShape(value) : value.Shape);

    /// <summary>The stage's operations as this device computes them: several that it can do in one become one.</summary>
    protected virtual IReadOnlyList<Operation> Fuse(Stage stage) => stage.Operations;

    protected abstract IReadOnlyList<Dimension> ImageShape(Value value);

    protected abstract string Convolve(Convolution operation);

    protected abstract string Normalise(GroupNorm operation);

    protected virtual (string Normed, string Sum) Normalise(ResidualGroupNorm operation) => throw new NotSupportedException($"{GetType().Name} makes no {nameof(ResidualGroupNorm)}.");

    protected abstract string Sum(Add operation);

    protected abstract string Gate(Geglu operation);

    protected abstract string Join(Concatenate operation);

    protected abstract string Double(Upsample operation);

    protected abstract string Flatten(ToTokens operation);

    protected abstract string Unflatten(ToImage operation);

    protected abstract IReadOnlyList<string> Split(Halve operation);

    /// <summary>The type in which a weight of more than one dimension is kept in the package; vectors are kept in the type they are used in.</summary>
    protected abstract ElementType KeptType(Weight weight, ElementType used);

    protected ElementType TypeOf(Value value) => value.Type ?? ActivationType;

    /// <summary>The type in which a value is computed, and read by the next operation; between the two it is kept in its own.</summary>
    protected virtual ElementType ArithmeticOf(Value value) => TypeOf(value);

    /// <summary>The tensor that holds a value, cast to a type.</summary>
    protected virtual string Use(Value value, ElementType type) => Cast(_names[value], TypeOf(value), type);

    protected string Use(Value value) => Use(value, ArithmeticOf(value));

    /// <summary>What has been computed in the value's arithmetic, as the value itself.</summary>
    protected virtual string Store(Value value, string computed) => computed;

    protected string Cast(string tensor, ElementType from, ElementType to)
    {
        if (from == to) return tensor;
        if (!_casts.TryGetValue((tensor, to), out string? cast)) _casts[(tensor, to)] = cast = Graph.Node("Cast", [tensor], Int("to", DataType(to)));
        return cast;
    }

    /// <summary>A weight in the type that it is used in.</summary>
    protected string Use(Weight weight, ElementType type, WeightLayout layout = WeightLayout.Stored)
    {
        ElementType kept = weight.Shape.Count < 2 ? type : KeptType(weight, type);
        return Cast(Keep(weight, kept, layout), kept, type);
    }

    /// <summary>A weight as it lies in the package.</summary>
    protected string Keep(Weight weight, ElementType kept, WeightLayout layout = WeightLayout.Stored)
    {
        LoweredWeight? known = _weights.FirstOrDefault(entry => entry.Weight == weight && entry.Type == kept && entry.Layout == layout);
        if (known is not null) return known.Graph;
        string name = string.Create(CultureInfo.InvariantCulture, $"w{_weights.Count}");
        _weights.Add(new LoweredWeight(name, weight, kept, layout));
        return name;
    }

    /// <summary>x * w^T: weights lie as [out, in] in the checkpoint, and multiplying with the transpose keeps the export a plain copy.</summary>
    protected string Multiply(string x, string w) => Graph.MicrosoftNode("FusedMatMul", [x, w], Int("transB", 1));

    protected string AddBias(string x, Weight? bias, ElementType type) => bias is null ? x : Graph.Node("Add", [x, Use(bias, type)]);

    protected string Apply(string x, Nonlinearity function) => function switch
    {
        Nonlinearity.Silu => Graph.MicrosoftNode("QuickGelu", [x], Float("alpha", 1)),
        Nonlinearity.QuickGelu => Graph.MicrosoftNode("QuickGelu", [x], Float("alpha", 1.702f)),
        _ => Graph.Node("Gelu", [x]),
    };

    private LoweredValue Border(Value value, string prefix, int index) => new(string.Create(CultureInfo.InvariantCulture, $"{prefix}{index}"), value, Spec(value));

    private void Lower(Operation operation)
    {
        if (operation is Halve halve)
        {
            IReadOnlyList<string> halves = Split(halve);
            (_names[halve.First], _names[halve.Second]) = (Store(halve.First, halves[0]), Store(halve.Second, halves[1]));
            return;
        }

        if (operation is ResidualGroupNorm group)
        {
            (string normed, string sum) = Normalise(group);
            _names[group.Output] = Store(group.Output, normed);
            if (group.Sum is not null) _names[group.Sum] = Store(group.Sum, sum);
            return;
        }

        if (operation is ResidualLayerNorm norm)
        {
            (string normed, string sum) = Normalise(norm);
            (_names[norm.Output], _names[norm.Sum]) = (Store(norm.Output, normed), Store(norm.Sum, sum));
            return;
        }

        string computed = operation switch
        {
            Convolution o => Convolve(o),
            GroupNorm o => Normalise(o),
            Geglu o => Gate(o),
            Concatenate o => Join(o),
            Upsample o => Double(o),
            ToTokens o => Flatten(o),
            ToImage o => Unflatten(o),
            Linear o => Multiply(o),
            LayerNorm o => Normalise(o),
            ResidualBias o => Sum(o),
            Attention o => Attend(o),
            Activation o => Apply(Use(o.Input), o.Function),
            Add o => Sum(o),
            Embedding o => Embed(o),
            SelectPosition o => Graph.Node("Gather", [Graph.Node("Reshape", [Use(o.Input), Graph.Constant(-1, o.Input.Channels)]), Use(o.Index)], Int("axis", 0)),
            Sinusoid o => Oscillate(o),
            ConcatenateRows o => Graph.Node("Concat", [Use(o.First), Use(o.Second)], Int("axis", 1)),
            AddOuter o => Graph.Node("Add", [Graph.Node("Unsqueeze", [Use(o.Steps), Graph.Constant(1)]), Use(o.Rows)]),
            ToPixels o => Paint(o),
            LayFrame o => Lay(o),
            // Zero times infinity is not a number, and neither is anything that is added to it.
            FaultOf o => Graph.Node("ReduceSum", [Graph.Node("Mul", [Use(o.Input), Graph.Constant(ElementType.F32, 0)])], Int("keepdims", 0)),
            PackSteps o => Graph.Node("Concat", [.. o.Parts.Select(part => Graph.Node("Reshape", [Use(part, ArithmeticOf(o.Output)), Graph.Constant(0, -1)]))], Int("axis", 1)),
            Cast o => Use(o.Input, ArithmeticOf(o.Output)),
            _ => throw new NotSupportedException($"No lowering of {operation.GetType().Name}."),
        };
        _names[operation.Outputs[0]] = Store(operation.Outputs[0], computed);
    }

    private string Multiply(Linear operation)
    {
        ElementType type = ArithmeticOf(operation.Output);
        string x = Use(operation.Input, type), w = Use(operation.Kernel, type);
        string y = operation.Transposed ? Graph.Node("MatMul", [x, w]) : Multiply(x, w);
        return AddBias(y, operation.Bias, type);
    }

    protected virtual (string Normed, string Sum) Normalise(ResidualLayerNorm operation)
    {
        ElementType type = ArithmeticOf(operation.Output);
        IReadOnlyList<string> outputs = Graph.Node(
            "SkipLayerNormalization", GraphBuilder.Microsoft, 4,
            [Use(operation.Input), Use(operation.Residual), Use(operation.Scale, type), Use(operation.Offset, type), Use(operation.Bias, type)], [Float("epsilon", LayerNorm.Epsilon)], 1, 2);
        return (outputs[0], outputs[3]);
    }

    protected virtual string Sum(ResidualBias operation) =>
        Graph.Node("Add", [AddBias(Use(operation.Input), operation.Bias, ArithmeticOf(operation.Output)), Use(operation.Residual)]);

    private string Normalise(LayerNorm operation)
    {
        ElementType type = ArithmeticOf(operation.Output);
        return Graph.Node("LayerNormalization", [Use(operation.Input), Use(operation.Scale, type), Use(operation.Offset, type)], Float("epsilon", LayerNorm.Epsilon));
    }

    private string Attend(Attention operation) => operation.Causal
        ? Graph.MicrosoftNode("MultiHeadAttention", [Use(operation.Query), Use(operation.Key), Use(operation.Value)], Int("num_heads", operation.Heads), Int("unidirectional", 1))
        : Graph.MicrosoftNode("MultiHeadAttention", [Use(operation.Query), Use(operation.Key), Use(operation.Value)], Int("num_heads", operation.Heads));

    private string Embed(Embedding operation)
    {
        // Rows are taken before they are cast: casting the table would cost 49,408 rows for 77.
        ElementType type = ArithmeticOf(operation.Output), kept = KeptType(operation.Table, type);
        string rows = Graph.Node("Gather", [Keep(operation.Table, kept), Use(operation.Ids)], Int("axis", 0));
        return Graph.Node("Add", [Cast(rows, kept, type), Use(operation.Positions, type)]);
    }

    // A component's border: [1, 3, height, width] fp32 in every lowering.
    private string Paint(ToPixels operation)
    {
        string half = Graph.Constant(ElementType.F32, 0.5f);
        string unit = Graph.Node("Clip", [Graph.Node("Add", [Graph.Node("Mul", [Use(operation.Input), half]), half]), Scalar(0), Scalar(1)]);
        string levels = Graph.Node("Round", [Graph.Node("Mul", [unit, Graph.Constant(ElementType.F32, 255)])]);
        return Graph.Node("Transpose", [Graph.Node("Cast", [levels], Int("to", DataType(ElementType.U8)))], Ints("perm", 0, 2, 3, 1));

        string Scalar(float value) => Graph.Constant(ElementType.F32, [], [value]);
    }

    private string Lay(LayFrame operation)
    {
        string picture = Graph.Node("Gather", [Graph.Node("Gather", [Use(operation.Picture), Use(operation.Rows)], Int("axis", 1)), Use(operation.Columns)], Int("axis", 2));
        string kept = Graph.Node("Div", [Graph.Node("Mul", [Numbers(picture), Numbers(Use(operation.Keep))]), Graph.Constant(ElementType.F32, 255)]);
        string levels = Graph.Node("Add", [Graph.Node("Round", [kept]), Numbers(Use(operation.Colour))]);
        return Graph.Node("Cast", [levels], Int("to", DataType(ElementType.U8)));

        string Numbers(string bytes) => Graph.Node("Cast", [bytes], Int("to", DataType(ElementType.F32)));
    }

    private string Oscillate(Sinusoid operation)
    {
        int half = operation.Width / 2;
        var frequencies = new float[half];
        // In double and rounded once: the C libraries' single-precision exponentials differ in the last bit, and graphs must not.
        for (int i = 0; i < half; i++) frequencies[i] = (float)Math.Exp((float)-Math.Log(10000) * i / half);
        string x = Graph.Node("Unsqueeze", [Use(operation.Input, ElementType.F32), Graph.Constant(-1)]);
        string angles = Graph.Node("Mul", [x, Graph.Constant(ElementType.F32, frequencies)]);
        string waves = Graph.Node("Concat", [Graph.Node("Cos", [angles]), Graph.Node("Sin", [angles])], Int("axis", -1));
        return operation.Input.Shape.Count == 1 ? waves : Graph.Node("Reshape", [waves, Graph.Constant(0, -1)]);
    }
}
