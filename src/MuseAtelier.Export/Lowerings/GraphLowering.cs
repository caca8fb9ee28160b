using MuseAtelier.Export.Networks;
using MuseAtelier.Export.Onnx;
using MuseAtelier.Format;
using static System.FormattableString;
using static MuseAtelier.Export.Onnx.GraphBuilder;

namespace MuseAtelier.Export.Lowerings;

/// <summary>
/// Turns the operations of a stage into an ONNX graph for one kind of device. This class lowers the operations that all devices compute
/// alike: products, layer norms, attention and embeddings on tokens. The subclasses define the memory layout of images and use the fused
/// operators of their device.
/// </summary>
internal abstract class GraphLowering
{
    private readonly Dictionary<Value, string> _names = [];
    private readonly Dictionary<(string, ElementType), string> _casts = [];
    private readonly List<LoweredWeight> _weights = [];

    protected GraphBuilder Graph { get; } = new();

    /// <summary>The element type of values that have no type of their own.</summary>
    protected abstract ElementType ActivationType { get; }

    /// <summary>Creates a lowering for one stage.</summary>
    /// <param name="device">The kind of device.</param>
    /// <param name="precision">The element type of values that have no type of their own.</param>
    public static GraphLowering For(Lowering device, ElementType precision) => device switch
    {
        Lowering.Portable => new PortableLowering(precision),
        Lowering.Cuda => new CudaLowering(precision),
        _ => throw new ArgumentOutOfRangeException(nameof(device), device, null),
    };

    /// <summary>Lowers a stage. An instance must lower only one stage because it keeps the names of that stage's tensors.</summary>
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

        // The weights of a transformer stage are graph inputs, so that stages of equal shape share the graph. The weights of a convolution
        // stage are constants. The package's layout adds them later because their place in the file is not known before the graph is.
        if (stage.Kind == StageKind.Transformer)
            foreach (LoweredWeight weight in _weights) Graph.Input(weight.Graph, weight.Type, [.. weight.Shape.Select(Dimension.Of)]);
        return new LoweredStage(Graph, inputs, outputs, _weights);
    }

    /// <summary>The element type and the dimensions of a value in memory.</summary>
    public TensorSpec Spec(Value value)
    {
        IReadOnlyList<Dimension> shape = value.Kind == ValueKind.Image ? ImageShape(value) : value.Shape;
        return new TensorSpec(value.Name, TypeOf(value), shape);
    }

    /// <summary>The operations of the stage, with those merged that this device computes in one operator.</summary>
    protected virtual IReadOnlyList<Operation> Fuse(Stage stage) => stage.Operations;

    protected abstract IReadOnlyList<Dimension> ImageShape(Value value);

    protected abstract string Convolve(Convolution operation);

    protected abstract string Normalise(GroupNorm operation);

    protected virtual (string Normed, string Sum) Normalise(ResidualGroupNorm operation) =>
        throw new NotSupportedException($"{GetType().Name} makes no {nameof(ResidualGroupNorm)}.");

    protected abstract string Sum(Add operation);

    protected abstract string Gate(Geglu operation);

    protected abstract string Join(Concatenate operation);

    protected abstract string Enlarge(Upsample operation);

    protected abstract string Planes(ToBorder operation);

    protected abstract string Rectify(ParametricRelu operation);

    protected abstract string Shuffle(PixelShuffle operation);

    protected abstract string Unshuffle(PixelUnshuffle operation);

    protected abstract string ReadPixels(FromPixels operation);

    protected abstract string Flatten(ToTokens operation);

    protected abstract string Unflatten(ToImage operation);

    protected abstract IReadOnlyList<string> Split(Halve operation);

    /// <summary>
    /// The element type in which the package stores a weight of two or more dimensions. Vectors are stored in the type in which they are
    /// used.
    /// </summary>
    protected abstract ElementType KeptType(Weight weight, ElementType used);

    protected ElementType TypeOf(Value value) => value.Type ?? ActivationType;

    /// <summary>
    /// The element type in which a value is computed and in which the next operation reads it. Between the two operations the value has
    /// the type of <see cref="TypeOf"/>.
    /// </summary>
    protected virtual ElementType ArithmeticOf(Value value) => TypeOf(value);

    /// <summary>The tensor that holds a value, cast to a type.</summary>
    protected virtual string Use(Value value, ElementType type) => Cast(_names[value], TypeOf(value), type);

    protected string Use(Value value) => Use(value, ArithmeticOf(value));

    /// <summary>Converts a result from the value's arithmetic type to the form in which the next operations read it.</summary>
    protected virtual string Store(Value value, string computed) => computed;

    protected string Cast(string tensor, ElementType from, ElementType to)
    {
        if (from == to) return tensor;
        if (_casts.TryGetValue((tensor, to), out string? known)) return known;
        return _casts[(tensor, to)] = CastNode(tensor, to);
    }

    /// <summary>A new cast node. Unlike <see cref="Cast"/>, it is not shared between its users.</summary>
    protected string CastNode(string tensor, ElementType to) => Graph.Node("Cast", [tensor], Int("to", DataType(to)));

    /// <summary>A weight in the type in which it is used.</summary>
    protected string Use(Weight weight, ElementType type, WeightLayout layout = WeightLayout.Stored)
    {
        ElementType kept = weight.Shape.Count < 2 ? type : KeptType(weight, type);
        return Cast(Keep(weight, kept, layout), kept, type);
    }

    /// <summary>A weight in the type and layout in which the package stores it.</summary>
    protected string Keep(Weight weight, ElementType kept, WeightLayout layout = WeightLayout.Stored)
    {
        LoweredWeight? known = _weights.FirstOrDefault(entry => entry.Weight == weight && entry.Type == kept && entry.Layout == layout);
        if (known is not null) return known.Graph;
        string name = Invariant($"w{_weights.Count}");
        _weights.Add(new LoweredWeight(name, weight, kept, layout));
        return name;
    }

    /// <summary>
    /// x * w^T. The checkpoint stores weights as [out, in]; multiplying with the transpose lets the exporter copy them unchanged.
    /// </summary>
    protected string Multiply(string x, string w) => Graph.MicrosoftNode("FusedMatMul", [x, w], Int("transB", 1));

    protected string AddBias(string x, Weight? bias, ElementType type) => bias is null ? x : Graph.Node("Add", [x, Use(bias, type)]);

    protected string Apply(string x, Nonlinearity function) => function switch
    {
        Nonlinearity.Silu => Graph.MicrosoftNode("QuickGelu", [x], Float("alpha", 1)),
        Nonlinearity.QuickGelu => Graph.MicrosoftNode("QuickGelu", [x], Float("alpha", 1.702f)),
        _ => Graph.Node("Gelu", [x]),
    };

    /// <summary>torch.nn.PixelShuffle of a tensor [rows, channels, height, width].</summary>
    protected string ShufflePlanes(string x, int factor) => Graph.Node("DepthToSpace", [x], Int("blocksize", factor), Text("mode", "CRD"));

    /// <summary>torch.nn.PixelUnshuffle of a tensor [rows, channels, height, width].</summary>
    protected string UnshufflePlanes(string x, int channels, int factor)
    {
        // ONNX makes channel (row f + column) n + c of channel c; torch makes (c f + row) f + column of it.
        int cells = factor * factor;
        string cellsFirst = Graph.Node("SpaceToDepth", [x], Int("blocksize", factor));
        long[] order = [.. Enumerable.Range(0, channels * cells).Select(i => (long)i % cells * channels + i / cells)];
        return Graph.Node("Gather", [cellsFirst, Graph.Constant(order)], Int("axis", 1));
    }

    /// <summary>Bytes as numbers from 0 to 1, [rows, height, width, channels] fp32.</summary>
    protected string UnitNumbers(Value pixels) =>
        Graph.Node("Div", [CastNode(Use(pixels), ElementType.F32), Graph.Constant(ElementType.F32, 255)]);

    private LoweredValue Border(Value value, string prefix, int index) => new(Invariant($"{prefix}{index}"), value, Spec(value));

    private void Lower(Operation operation)
    {
        if (operation is Halve halve)
        {
            IReadOnlyList<string> parts = Split(halve);
            _names[halve.First] = Store(halve.First, parts[0]);
            _names[halve.Second] = Store(halve.Second, parts[1]);
        }
        else if (operation is ResidualGroupNorm group)
        {
            (string normed, string sum) = Normalise(group);
            _names[group.Output] = Store(group.Output, normed);
            if (group.Sum is not null) _names[group.Sum] = Store(group.Sum, sum);
        }
        else if (operation is ResidualLayerNorm norm)
        {
            (string normed, string sum) = Normalise(norm);
            _names[norm.Output] = Store(norm.Output, normed);
            _names[norm.Sum] = Store(norm.Sum, sum);
        }
        else
        {
            Value output = operation.Outputs[0];
            _names[output] = Store(output, Compute(operation));
        }
    }

    private string Compute(Operation operation) => operation switch
    {
        Convolution o => Convolve(o),
        GroupNorm o => Normalise(o),
        Geglu o => Gate(o),
        Concatenate o => Join(o),
        Upsample o => Enlarge(o),
        LeakyRelu o => Graph.Node("LeakyRelu", [Use(o.Input)], Float("alpha", o.Slope)),
        ParametricRelu o => Rectify(o),
        AddScaled o => Sum(o),
        PixelShuffle o => Shuffle(o),
        PixelUnshuffle o => Unshuffle(o),
        FromPixels o => ReadPixels(o),
        ToBorder o => Planes(o),
        ToTokens o => Flatten(o),
        ToImage o => Unflatten(o),
        Linear o => Multiply(o),
        LayerNorm o => Normalise(o),
        ResidualBias o => Sum(o),
        Attention o => Attend(o),
        Activation o => Apply(Use(o.Input), o.Function),
        Add o => Sum(o),
        Embedding o => Embed(o),
        SelectPosition o => Select(o),
        Sinusoid o => Oscillate(o),
        ConcatenateRows o => Graph.Node("Concat", [Use(o.First), Use(o.Second)], Int("axis", 1)),
        AddOuter o => Graph.Node("Add", [Graph.Node("Unsqueeze", [Use(o.Steps), Graph.Constant(1)]), Use(o.Rows)]),
        ToPixels o => RoundToBytes(o),
        LayFrame o => Lay(o),
        FaultOf o => Fault(o),
        PackSteps o => Pack(o),
        Cast o => Use(o.Input, ArithmeticOf(o.Output)),
        _ => throw new NotSupportedException($"No lowering of {operation.GetType().Name}."),
    };

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
        string[] inputs =
        [
            Use(operation.Input),
            Use(operation.Residual),
            Use(operation.Scale, type),
            Use(operation.Offset, type),
            Use(operation.Bias, type),
        ];
        // Outputs 1 and 2 are the mean and the inverse deviation, which only training reads.
        IReadOnlyList<string> outputs = Graph.Node(
            "SkipLayerNormalization", GraphBuilder.Microsoft, 4, inputs, [Float("epsilon", LayerNorm.Epsilon)], 1, 2);
        return (outputs[0], outputs[3]);
    }

    protected virtual string Sum(ResidualBias operation)
    {
        string biased = AddBias(Use(operation.Input), operation.Bias, ArithmeticOf(operation.Output));
        return Graph.Node("Add", [biased, Use(operation.Residual)]);
    }

    private string Sum(AddScaled operation)
    {
        string factor = Graph.Constant(ArithmeticOf(operation.Output), operation.Factor);
        return Graph.Node("Add", [Graph.Node("Mul", [Use(operation.Branch), factor]), Use(operation.Residual)]);
    }

    private string Normalise(LayerNorm operation)
    {
        ElementType type = ArithmeticOf(operation.Output);
        string[] inputs = [Use(operation.Input), Use(operation.Scale, type), Use(operation.Offset, type)];
        return Graph.Node("LayerNormalization", inputs, Float("epsilon", LayerNorm.Epsilon));
    }

    private string Attend(Attention operation)
    {
        string[] inputs = [Use(operation.Query), Use(operation.Key), Use(operation.Value)];
        return operation.Causal
            ? Graph.MicrosoftNode("MultiHeadAttention", inputs, Int("num_heads", operation.Heads), Int("unidirectional", 1))
            : Graph.MicrosoftNode("MultiHeadAttention", inputs, Int("num_heads", operation.Heads));
    }

    private string Embed(Embedding operation)
    {
        // Rows are gathered before they are cast: casting the whole table would convert 49,408 rows where 77 are used.
        ElementType type = ArithmeticOf(operation.Output), kept = KeptType(operation.Table, type);
        string ids = Use(operation.Ids);
        string last = Graph.Constant(TextChunk.Vocabulary - 1), first = Graph.Constant(TextChunk.Vocabulary);
        string inTable = Graph.Node("Min", [ids, last]);
        string inVectors = Graph.Node("Max", [Graph.Node("Sub", [ids, first]), Graph.Constant(0L)]);
        string isToken = Graph.Node("Unsqueeze", [Graph.Node("Less", [ids, first]), Graph.Constant(-1)]);
        string tokens = Cast(Graph.Node("Gather", [Keep(operation.Table, kept), inTable], Int("axis", 0)), kept, type);
        string vectors = Graph.Node("Gather", [Use(operation.Vectors, ElementType.F32), inVectors], Int("axis", 0));
        string rows = Graph.Node("Where", [isToken, tokens, Cast(vectors, ElementType.F32, type)]);
        return Graph.Node("Add", [rows, Use(operation.Positions, type)]);
    }

    private string Select(SelectPosition operation)
    {
        string rows = Graph.Node("Reshape", [Use(operation.Input), Graph.Constant(-1, operation.Input.Channels)]);
        return Graph.Node("Gather", [rows, Use(operation.Index)], Int("axis", 0));
    }

    private string Pack(PackSteps operation)
    {
        ElementType type = ArithmeticOf(operation.Output);
        IEnumerable<string> rows = operation.Parts.Select(part => Graph.Node("Reshape", [Use(part, type), Graph.Constant(0, -1)]));
        return Graph.Node("Concat", [.. rows], Int("axis", 1));
    }

    // Zero times infinity is NaN, and so is every sum with a NaN in it: the sum is 0 only where all elements are finite.
    private string Fault(FaultOf operation)
    {
        string zeros = Graph.Node("Mul", [Use(operation.Input), Graph.Constant(ElementType.F32, 0)]);
        return Graph.Node("ReduceSum", [zeros], Int("keepdims", 0));
    }

    // The input is a component's border: [1, 3, height, width] fp32 in every lowering.
    private string RoundToBytes(ToPixels operation)
    {
        string half = Graph.Constant(ElementType.F32, 0.5f), image = Use(operation.Input);
        string shifted = operation.IsUnit ? image : Graph.Node("Add", [Graph.Node("Mul", [image, half]), half]);
        string unit = Graph.Node("Clip", [shifted, Scalar(0), Scalar(1)]);
        string levels = Graph.Node("Round", [Graph.Node("Mul", [unit, Graph.Constant(ElementType.F32, 255)])]);
        return Graph.Node("Transpose", [CastNode(levels, ElementType.U8)], Ints("perm", 0, 2, 3, 1));

        string Scalar(float value) => Graph.Constant(ElementType.F32, [], [value]);
    }

    private string Lay(LayFrame operation)
    {
        string rows = Graph.Node("Gather", [Use(operation.Picture), Use(operation.Rows)], Int("axis", 1));
        string picture = Graph.Node("Gather", [rows, Use(operation.Columns)], Int("axis", 2));
        string product = Graph.Node("Mul", [Numbers(picture), Numbers(Use(operation.Keep))]);
        string kept = Graph.Node("Div", [product, Graph.Constant(ElementType.F32, 255)]);
        string levels = Graph.Node("Add", [Graph.Node("Round", [kept]), Numbers(Use(operation.Colour))]);
        return CastNode(levels, ElementType.U8);

        string Numbers(string bytes) => CastNode(bytes, ElementType.F32);
    }

    private string Oscillate(Sinusoid operation)
    {
        int half = operation.Width / 2;
        var frequencies = new float[half];
        // The frequencies are computed in double precision and rounded once: the single-precision exponentials of C libraries differ in the
        // last bit, and graphs must be the same on every system.
        for (int i = 0; i < half; i++) frequencies[i] = (float)Math.Exp((float)-Math.Log(10000) * i / half);
        string x = Graph.Node("Unsqueeze", [Use(operation.Input, ElementType.F32), Graph.Constant(-1)]);
        string angles = Graph.Node("Mul", [x, Graph.Constant(ElementType.F32, frequencies)]);
        string waves = Graph.Node("Concat", [Graph.Node("Cos", [angles]), Graph.Node("Sin", [angles])], Int("axis", -1));
        return operation.Input.Shape.Count == 1 ? waves : Graph.Node("Reshape", [waves, Graph.Constant(0, -1)]);
    }
}
