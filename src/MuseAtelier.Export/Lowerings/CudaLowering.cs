using MuseAtelier.Export.Networks;
using MuseAtelier.Format;
using static MuseAtelier.Export.Onnx.GraphBuilder;

namespace MuseAtelier.Export.Lowerings;

/// <summary>
/// Lowers for NVIDIA cards. Images lie as [rows, height, width, channels], the layout that convolutions on tensor cores need; at a
/// component's border they are fp32 and [rows, channels, height, width], as in every lowering. A sum and the group norm that reads it are
/// one operator, which also adds the bias of the convolution before it. Norms, gates and sums with bias are the project's own operators
/// (<see cref="OperatorNames"/>) because ONNX Runtime's group norm gives different last bits in every run. Every operator of the graphs
/// must run on the card.
/// </summary>
internal sealed class CudaLowering(ElementType precision) : GraphLowering
{
    protected override ElementType ActivationType => precision;

    protected override IReadOnlyList<Dimension> ImageShape(Value value) => IsBorder(value)
        ? [value.Rows, Dimension.Of(value.Channels), value.Height, value.Width]
        : [value.Rows, value.Height, value.Width, Dimension.Of(value.Channels)];

    protected override ElementType KeptType(Weight weight, ElementType used) => used == ElementType.F32 ? weight.Stored : used;

    protected override IReadOnlyList<Operation> Fuse(Stage stage)
    {
        var operations = new List<Operation>(stage.Operations);
        foreach (GroupNorm norm in stage.Operations.OfType<GroupNorm>())
        {
            // A norm with a time embedding projection adds that itself (one value a channel for each row of the batch), so it cannot take
            // a sum of two images as well.
            Add? sum = norm.Embedding is null ? operations.OfType<Add>().FirstOrDefault(add => add.Output == norm.Input) : null;
            if (sum is not null) FuseSum(stage, operations, sum, norm);
            else if (TakeBias(stage, operations, norm.Input, out Weight? bias) || norm.Embedding is not null)
                operations[operations.IndexOf(norm)] = new ResidualGroupNorm(norm, norm.Input, bias, norm.Embedding, Sum: null);
        }

        return operations;
    }

    private static void FuseSum(Stage stage, List<Operation> operations, Add sum, GroupNorm norm)
    {
        Weight? bias = sum.Bias;
        if (TakeBias(stage, operations, sum.Right, out Weight? right)) bias = Together(bias, right);
        if (TakeBias(stage, operations, sum.Left, out Weight? left)) bias = Together(bias, left);
        operations[operations.IndexOf(sum)] = new ResidualGroupNorm(norm, sum.Right, bias, sum.Left, sum.Output);
        operations.Remove(norm);
    }

    // Removes the bias from the convolution that makes a value. No other operation may read the value, because it would miss the bias.
    private static bool TakeBias(Stage stage, List<Operation> operations, Value value, out Weight? bias)
    {
        bias = null;
        int maker = operations.FindIndex(operation => operation is Convolution { Bias: not null } && operation.Outputs[0] == value);
        if (maker < 0 || stage.Outputs.Contains(value)) return false;
        if (operations.Sum(operation => operation.Inputs.Count(input => input == value)) != 1) return false;
        var convolution = (Convolution)operations[maker];
        bias = convolution.Bias;
        operations[maker] = convolution with { Bias = null };
        return true;
    }

    protected override string Convolve(Convolution operation)
    {
        string x = Image(operation.Input);
        IReadOnlyList<long> shape = operation.Kernel.Shape;
        if (shape[2] == 1 && operation.Stride == 1)
        {
            string kernel = Use(operation.Kernel with { Shape = [shape[0], shape[1]] }, precision);
            return Image(operation.Output, AddBias(Multiply(x, kernel), operation.Bias, precision));
        }

        int pad = operation.Pad;
        if (operation.Pad != operation.PadEnd)
        {
            x = Graph.Node("Pad", [x, Graph.Constant(0, operation.Pad, operation.Pad, 0, 0, operation.PadEnd, operation.PadEnd, 0)]);
            pad = 0;
        }

        string w = Use(operation.Kernel, precision, WeightLayout.ChannelsLast);
        string y = Graph.MicrosoftNode(
            "NhwcConv",
            operation.Bias is null ? [x, w] : [x, w, Use(operation.Bias, precision)],
            Ints("kernel_shape", shape[2], shape[3]),
            Ints("pads", pad, pad, pad, pad),
            Ints("strides", operation.Stride, operation.Stride));
        return Image(operation.Output, y);
    }

    protected override string Normalise(GroupNorm operation)
    {
        string[] inputs = [Use(operation.Input), Use(operation.Scale, ElementType.F32), Use(operation.Offset, ElementType.F32)];
        return Norm(1, inputs, operation.Epsilon, operation.Silu)[0];
    }

    protected override (string Normed, string Sum) Normalise(ResidualGroupNorm operation)
    {
        GroupNorm norm = operation.Norm;
        List<string> inputs = [Use(operation.Input), Use(norm.Scale, ElementType.F32), Use(norm.Offset, ElementType.F32)];
        inputs.Add(operation.Residual is null ? "" : Use(operation.Residual));
        if (operation.Bias is not null) inputs.Add(Use(operation.Bias, precision));
        IReadOnlyList<string> outputs = Norm(operation.Sum is null ? 1 : 2, inputs, norm.Epsilon, norm.Silu);
        return (outputs[0], outputs[^1]);
    }

    protected override (string Normed, string Sum) Normalise(ResidualLayerNorm operation)
    {
        if (TypeOf(operation.Output) != ElementType.F16) return base.Normalise(operation);
        string[] inputs =
        [
            Use(operation.Input),
            Use(operation.Residual, ElementType.F32),
            Use(operation.Bias, ElementType.F16),
            Use(operation.Scale, ElementType.F32),
            Use(operation.Offset, ElementType.F32),
        ];
        IReadOnlyList<string> outputs = Graph.Node(
            OperatorNames.ResidualLayerNorm, OperatorNames.Domain, 2, inputs, [Float("epsilon", LayerNorm.Epsilon)]);
        return (outputs[0], outputs[1]);
    }

    protected override string Sum(Add operation)
    {
        if (operation.Bias is null) return Graph.Node("Add", [Use(operation.Left), Use(operation.Right)]);
        string type = precision == ElementType.F16 ? OperatorNames.BiasedSum : OperatorNames.BiasedSum32;
        return OwnNode(type, [Use(operation.Left), Use(operation.Bias, precision), Use(operation.Right)]);
    }

    protected override string Sum(ResidualBias operation)
    {
        if (TypeOf(operation.Output) != ElementType.F16) return base.Sum(operation);
        string[] inputs = [Use(operation.Input), Use(operation.Bias, ElementType.F16), Use(operation.Residual, ElementType.F32)];
        return OwnNode(OperatorNames.StreamSum, inputs);
    }

    protected override string Gate(Geglu operation)
    {
        string wide = Multiply(Use(operation.Input), Use(operation.Kernel, precision));
        if (precision == ElementType.F16) return OwnNode(OperatorNames.Gate, [wide, Use(operation.Bias, precision)]);
        string biased = AddBias(wide, operation.Bias, precision);
        IReadOnlyList<string> halves = Graph.Node("Split", "", 2, [biased], [Int("axis", 2), Int("num_outputs", 2)]);
        return Graph.Node("Mul", [halves[0], Apply(halves[1], Nonlinearity.Gelu)]);
    }

    protected override string Join(Concatenate operation) =>
        Graph.Node("Concat", [Use(operation.First), Use(operation.Second)], Int("axis", 3));

    protected override string Enlarge(Upsample operation)
    {
        // A Shape node's output stays on the host. Only its slice for the plane's size is used: computing with shapes would need operators
        // that run on the processor.
        string x = Use(operation.Input);
        string[] inputs = operation.Like is null
            ? [x, "", Graph.Constant(ElementType.F32, 1, operation.Factor, operation.Factor, 1)]
            : [x, "", "", Graph.Node("Shape", [Use(operation.Like)], Int("start", 1), Int("end", 3))];
        List<Onnx.Proto.AttributeProto> attributes =
        [
            Text("mode", "nearest"),
            Text("coordinate_transformation_mode", "asymmetric"),
            Text("nearest_mode", "floor"),
        ];
        if (operation.Like is not null) attributes.Add(Ints("axes", 1, 2));
        return Graph.Node("Resize", inputs, [.. attributes]);
    }

    protected override string Planes(ToBorder operation) => Image(operation.Output, Use(operation.Input));

    protected override string Rectify(ParametricRelu operation) =>
        Graph.Node("PRelu", [Use(operation.Input), Use(operation.Slopes, precision)]);

    protected override string Shuffle(PixelShuffle operation) =>
        ChannelsLast(ShufflePlanes(ChannelsFirst(Use(operation.Input)), operation.Factor));

    protected override string Unshuffle(PixelUnshuffle operation) =>
        ChannelsLast(UnshufflePlanes(ChannelsFirst(Use(operation.Input)), operation.Input.Channels, operation.Factor));

    protected override string ReadPixels(FromPixels operation) => Cast(UnitNumbers(operation.Input), ElementType.F32, precision);

    protected override string Flatten(ToTokens operation) =>
        Graph.Node("Reshape", [Use(operation.Input), Graph.Constant(0, -1, operation.Input.Channels)]);

    protected override string Unflatten(ToImage operation) =>
        Graph.Node("Reshape", [Use(operation.Input), Graph.Node("Shape", [Use(operation.Like)])]);

    protected override IReadOnlyList<string> Split(Halve operation)
    {
        IReadOnlyList<string> halves = Graph.Node("Split", "", 2, [Use(operation.Input)], [Int("axis", 3), Int("num_outputs", 2)]);
        return [Image(operation.First, halves[0]), Image(operation.Second, halves[1])];
    }

    private static bool IsBorder(Value value) => value.Type == ElementType.F32;

    private static Weight? Together(Weight? first, Weight? second)
    {
        if (first is null) return second;
        if (second is null) return first;
        return first with { Plus = first.Plus is null ? second : Together(first.Plus, second) };
    }

    // Converts a component's input, [rows, channels, height, width] fp32, to the layout and type of this lowering.
    private string Image(Value value) =>
        IsBorder(value) ? ChannelsLast(Use(value, precision)) : Use(value);

    // Converts a result to [rows, channels, height, width] fp32 where it is a component's output.
    private string Image(Value value, string computed) =>
        IsBorder(value) ? ChannelsFirst(Cast(computed, precision, ElementType.F32)) : computed;

    private string ChannelsLast(string x) => Graph.Node("Transpose", [x], Ints("perm", 0, 2, 3, 1));

    private string ChannelsFirst(string x) => Graph.Node("Transpose", [x], Ints("perm", 0, 3, 1, 2));

    private string OwnNode(string type, IReadOnlyList<string> inputs) => Graph.Node(type, OperatorNames.Domain, 1, inputs, [])[0];

    private IReadOnlyList<string> Norm(int outputs, IReadOnlyList<string> inputs, float epsilon, bool silu)
    {
        string type = precision == ElementType.F16 ? OperatorNames.GroupNorm : OperatorNames.GroupNorm32;
        return Graph.Node(type, OperatorNames.Domain, outputs, inputs, [Float("epsilon", epsilon), Int("silu", silu ? 1 : 0)]);
    }
}
