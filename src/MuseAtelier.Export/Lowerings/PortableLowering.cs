using MuseAtelier.Export.Networks;
using MuseAtelier.Packages;
using static MuseAtelier.Export.Onnx.GraphBuilder;

namespace MuseAtelier.Export.Lowerings;

/// <summary>
/// For processors: images lie as [batch, channels, height, width], every operation computes in fp32. Weights stay in the checkpoint's type and
/// are cast inside the graph: the same results for half the bytes. Where fp16 is asked for, what operations hand on and weights of more than one
/// dimension are rounded to it: the precision of a card that adds up in fp32, not its speed.
/// </summary>
internal sealed class PortableLowering(ElementType precision) : GraphLowering
{
    protected override ElementType ActivationType => precision;

    protected override ElementType ArithmeticOf(Value value) => TypeOf(value) == ElementType.F16 ? ElementType.F32 : TypeOf(value);

    protected override IReadOnlyList<Dimension> ImageShape(Value value) => [value.Batch, Dimension.Of(value.Channels), value.Height, value.Width];

    protected override ElementType KeptType(Weight weight, ElementType used) => precision == ElementType.F16 ? precision : weight.Stored;

    // What an fp16 network is given in fp32 is rounded as well, and so is what it gives.
    protected override string Use(Value value, ElementType type) => IsRoundedBorder(value) ? Cast(Rounded(base.Use(value, ElementType.F32)), precision, type) : base.Use(value, type);

    protected override string Store(Value value, string computed) =>
        IsRoundedBorder(value) ? Cast(Rounded(computed), precision, ElementType.F32) : TypeOf(value) == ElementType.F16 ? Rounded(computed) : computed;

    protected override string Convolve(Convolution operation)
    {
        long kernel = operation.Kernel.Shape[2];
        return Graph.Node(
            "Conv",
            operation.Bias is null
                ? [Use(operation.Input), Use(operation.Kernel, ElementType.F32)]
                : [Use(operation.Input), Use(operation.Kernel, ElementType.F32), Use(operation.Bias, ElementType.F32)],
            Ints("kernel_shape", kernel, kernel),
            Ints("pads", operation.Pad, operation.Pad, operation.PadEnd, operation.PadEnd),
            Ints("strides", operation.Stride, operation.Stride));
    }

    protected override string Normalise(GroupNorm operation)
    {
        // By reductions rather than InstanceNormalization, which ONNX Runtime computes on one thread. Rows first, so that no sum of
        // fp32 numbers gets long; deviations rather than squares of the values, which would cancel where the mean is large.
        string x = Use(operation.Input);
        int channels = operation.Input.Channels, width = channels / GroupNorm.Groups;
        string means = Mean(Mean(x, -1), -2);
        string mean;
        if (operation.Shift is null)
        {
            mean = Spread(GroupMean(means), channels, width);
            x = Graph.Node("Sub", [x, mean]);
        }
        else
        {
            // The shift moves the mean with it: both are added to the image at once.
            string shift = Graph.Node("Reshape", [Use(operation.Shift), Graph.Constant(0, channels, 1, 1)]);
            mean = Spread(GroupMean(Graph.Node("Add", [means, shift])), channels, width);
            x = Graph.Node("Add", [x, Graph.Node("Sub", [shift, mean])]);
        }

        string columns = Graph.Node("Cast", [Graph.Node("Shape", [x], Int("start", 3))], Int("to", DataType(ElementType.F32)));
        string squares = Mean(Graph.Node("ReduceSumSquare", [x, Graph.Constant(-1)]), -2);
        string variance = Graph.Node("Div", [GroupMean(squares), columns]);
        string deviation = Graph.Node("Sqrt", [Graph.Node("Add", [variance, Graph.Constant(ElementType.F32, operation.Epsilon)])]);
        x = Graph.Node("Mul", [x, Graph.Node("Div", [Column(operation.Scale, channels), Spread(deviation, channels, width)])]);
        x = Graph.Node("Add", [x, Column(operation.Offset, channels)]);
        return operation.Silu ? Apply(x, Nonlinearity.Silu) : x;
    }

    protected override string Sum(Add operation)
    {
        string left = Use(operation.Left);
        if (operation.Bias is not null) left = Graph.Node("Add", [left, Column(operation.Bias, operation.Output.Channels)]);
        return Graph.Node("Add", [left, Use(operation.Right)]);
    }

    protected override string Gate(Geglu operation)
    {
        // Two products with half of the rows each: splitting the wide result would copy it once more.
        string x = Use(operation.Input);
        string value = AddBias(Multiply(x, Use(operation.Kernel.Half(0), ElementType.F32)), operation.Bias.Half(0), ElementType.F32);
        string gate = Graph.MicrosoftNode("BiasGelu", [Multiply(x, Use(operation.Kernel.Half(1), ElementType.F32)), Use(operation.Bias.Half(1), ElementType.F32)]);
        return Graph.Node("Mul", [value, gate]);
    }

    protected override string Join(Concatenate operation) => Graph.Node("Concat", [Use(operation.First), Use(operation.Second)], Int("axis", 1));

    protected override string Double(Upsample operation)
    {
        string x = Use(operation.Input);
        string[] inputs = operation.Like is null
            ? [x, "", Graph.Constant(ElementType.F32, 1, 1, 2, 2)]
            : [x, "", "", Graph.Node("Concat", [Graph.Node("Shape", [x], Int("end", 2)), Graph.Node("Shape", [Use(operation.Like)], Int("start", 2))], Int("axis", 0))];
        return Graph.Node("Resize", inputs, Text("mode", "nearest"), Text("coordinate_transformation_mode", "asymmetric"), Text("nearest_mode", "floor"));
    }

    protected override string Flatten(ToTokens operation) =>
        Graph.Node("Reshape", [Graph.Node("Transpose", [Use(operation.Input)], Ints("perm", 0, 2, 3, 1)), Graph.Constant(0, -1, operation.Input.Channels)]);

    protected override string Unflatten(ToImage operation) =>
        Graph.Node("Reshape", [Graph.Node("Transpose", [Use(operation.Input)], Ints("perm", 0, 2, 1)), Graph.Node("Shape", [Use(operation.Like)])]);

    protected override IReadOnlyList<string> Split(Halve operation) => Graph.Node("Split", "", 2, [Use(operation.Input)], [Int("axis", 1), Int("num_outputs", 2)]);

    private bool IsRoundedBorder(Value value) => precision == ElementType.F16 && value is { Type: ElementType.F32, Kind: not ValueKind.Plain };

    private string Rounded(string computed) => Cast(computed, ElementType.F32, ElementType.F16);

    private string Mean(string x, int axis) => Graph.Node("ReduceMean", [x, Graph.Constant(axis)]);

    // [batch, channels, 1, 1] to [batch, groups, 1]: the mean of each group's channels.
    private string GroupMean(string channels) => Mean(Graph.Node("Reshape", [channels, Graph.Constant(0, GroupNorm.Groups, -1)]), -1);

    // [batch, groups, 1] to [batch, channels, 1, 1]: a group's value for each of its channels.
    private string Spread(string groups, int channels, int width) =>
        Graph.Node("Reshape", [Graph.Node("Expand", [groups, Graph.Constant(1, GroupNorm.Groups, width)]), Graph.Constant(0, channels, 1, 1)]);

    private string Column(Weight weight, int channels) => Graph.Node("Reshape", [Use(weight, ElementType.F32), Graph.Constant(channels, 1, 1)]);
}
