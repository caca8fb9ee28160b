using MuseAtelier.Export.Networks;
using MuseAtelier.Format;
using static MuseAtelier.Export.Onnx.GraphBuilder;

namespace MuseAtelier.Export.Lowerings;

/// <summary>
/// Lowers for processors. Images lie as [rows, channels, height, width] and every operation computes in fp32. Weights keep the
/// checkpoint's type in the package and are cast inside the graph, which gives the same results with half the bytes. In fp16, the results
/// of operations and the weights of two or more dimensions are rounded to fp16: that is the precision of a card that accumulates in fp32,
/// but not its speed.
/// </summary>
internal sealed class PortableLowering(ElementType precision) : GraphLowering
{
    protected override ElementType ActivationType => precision;

    protected override ElementType ArithmeticOf(Value value) => TypeOf(value) == ElementType.F16 ? ElementType.F32 : TypeOf(value);

    protected override IReadOnlyList<Dimension> ImageShape(Value value) =>
        [value.Rows, Dimension.Of(value.Channels), value.Height, value.Width];

    protected override ElementType KeptType(Weight weight, ElementType used) => precision == ElementType.F16 ? precision : weight.Stored;

    // The fp32 inputs and outputs of an fp16 network are rounded to fp16 as well.
    protected override string Use(Value value, ElementType type) =>
        IsRoundedBorder(value) ? Cast(Rounded(base.Use(value, ElementType.F32)), precision, type) : base.Use(value, type);

    protected override string Store(Value value, string computed)
    {
        if (IsRoundedBorder(value)) return Cast(Rounded(computed), precision, ElementType.F32);
        return TypeOf(value) == ElementType.F16 ? Rounded(computed) : computed;
    }

    protected override string Convolve(Convolution operation)
    {
        long kernel = operation.Kernel.Shape[2];
        List<string> inputs = [Use(operation.Input), Use(operation.Kernel, ElementType.F32)];
        if (operation.Bias is not null) inputs.Add(Use(operation.Bias, ElementType.F32));
        return Graph.Node(
            "Conv",
            inputs,
            Ints("kernel_shape", kernel, kernel),
            Ints("pads", operation.Pad, operation.Pad, operation.PadEnd, operation.PadEnd),
            Ints("strides", operation.Stride, operation.Stride));
    }

    protected override string Normalise(GroupNorm operation)
    {
        // Reductions replace InstanceNormalization, which ONNX Runtime computes on one thread. Each row is reduced first so that no sum of
        // fp32 numbers gets long. The variance comes from deviations because a mean of squares would cancel where the mean is large.
        string x = Use(operation.Input);
        int channels = operation.Input.Channels, width = channels / GroupNorm.Groups;
        string means = Mean(Mean(x, -1), -2);
        string mean;
        if (operation.Embedding is null)
        {
            mean = Spread(GroupMean(means), channels, width);
            x = Graph.Node("Sub", [x, mean]);
        }
        else
        {
            // The time embedding projection moves the mean by its own mean, so one addition to the image applies both.
            string embedding = Graph.Node("Reshape", [Use(operation.Embedding), Graph.Constant(0, channels, 1, 1)]);
            mean = Spread(GroupMean(Graph.Node("Add", [means, embedding])), channels, width);
            x = Graph.Node("Add", [x, Graph.Node("Sub", [embedding, mean])]);
        }

        string columns = CastNode(Graph.Node("Shape", [x], Int("start", 3)), ElementType.F32);
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
        // Two products with half of the rows each: splitting the result of one wide product would copy it once more.
        string x = Use(operation.Input);
        string value = Multiply(x, Use(operation.Kernel.Half(0), ElementType.F32));
        string biased = AddBias(value, operation.Bias.Half(0), ElementType.F32);
        string gate = Multiply(x, Use(operation.Kernel.Half(1), ElementType.F32));
        string activated = Graph.MicrosoftNode("BiasGelu", [gate, Use(operation.Bias.Half(1), ElementType.F32)]);
        return Graph.Node("Mul", [biased, activated]);
    }

    protected override string Join(Concatenate operation) =>
        Graph.Node("Concat", [Use(operation.First), Use(operation.Second)], Int("axis", 1));

    protected override string Enlarge(Upsample operation)
    {
        string x = Use(operation.Input);
        string[] inputs = operation.Like is null
            ? [x, "", Graph.Constant(ElementType.F32, 1, 1, operation.Factor, operation.Factor)]
            : [x, "", "", SizeLike(x, operation.Like)];
        return Graph.Node(
            "Resize", inputs, Text("mode", "nearest"), Text("coordinate_transformation_mode", "asymmetric"), Text("nearest_mode", "floor"));
    }

    protected override string Planes(ToBorder operation) => Use(operation.Input, ArithmeticOf(operation.Output));

    protected override string Rectify(ParametricRelu operation) =>
        Graph.Node("PRelu", [Use(operation.Input), Column(operation.Slopes, operation.Input.Channels)]);

    protected override string Shuffle(PixelShuffle operation) => ShufflePlanes(Use(operation.Input), operation.Factor);

    protected override string Unshuffle(PixelUnshuffle operation) =>
        UnshufflePlanes(Use(operation.Input), operation.Input.Channels, operation.Factor);

    protected override string ReadPixels(FromPixels operation) =>
        Graph.Node("Transpose", [UnitNumbers(operation.Input)], Ints("perm", 0, 3, 1, 2));

    protected override string Flatten(ToTokens operation)
    {
        string channelsLast = Graph.Node("Transpose", [Use(operation.Input)], Ints("perm", 0, 2, 3, 1));
        return Graph.Node("Reshape", [channelsLast, Graph.Constant(0, -1, operation.Input.Channels)]);
    }

    protected override string Unflatten(ToImage operation)
    {
        string channelsFirst = Graph.Node("Transpose", [Use(operation.Input)], Ints("perm", 0, 2, 1));
        return Graph.Node("Reshape", [channelsFirst, Graph.Node("Shape", [Use(operation.Like)])]);
    }

    protected override IReadOnlyList<string> Split(Halve operation) =>
        Graph.Node("Split", "", 2, [Use(operation.Input)], [Int("axis", 1), Int("num_outputs", 2)]);

    private bool IsRoundedBorder(Value value) =>
        precision == ElementType.F16 && value is { Type: ElementType.F32, Kind: not ValueKind.Plain };

    private string Rounded(string computed) => Cast(computed, ElementType.F32, ElementType.F16);

    // Rows and channels of x, then height and width of another image.
    private string SizeLike(string x, Value like)
    {
        string channels = Graph.Node("Shape", [x], Int("end", 2));
        string plane = Graph.Node("Shape", [Use(like)], Int("start", 2));
        return Graph.Node("Concat", [channels, plane], Int("axis", 0));
    }

    private string Mean(string x, int axis) => Graph.Node("ReduceMean", [x, Graph.Constant(axis)]);

    // [rows, channels, 1, 1] to [rows, groups, 1]: the mean over the channels of each group.
    private string GroupMean(string channels) => Mean(Graph.Node("Reshape", [channels, Graph.Constant(0, GroupNorm.Groups, -1)]), -1);

    // [rows, groups, 1] to [rows, channels, 1, 1]: the group's value for each channel.
    private string Spread(string groups, int channels, int width)
    {
        string expanded = Graph.Node("Expand", [groups, Graph.Constant(1, GroupNorm.Groups, width)]);
        return Graph.Node("Reshape", [expanded, Graph.Constant(0, channels, 1, 1)]);
    }

    private string Column(Weight weight, int channels) =>
        Graph.Node("Reshape", [Use(weight, ElementType.F32), Graph.Constant(channels, 1, 1)]);
}
