using MuseAtelier.Export.Networks;
using MuseAtelier.Packages;
using static MuseAtelier.Export.Onnx.GraphBuilder;

namespace MuseAtelier.Export.Lowerings;

/// <summary>
/// For processors: images lie as [batch, channels, height, width], arithmetic is fp32. Weights stay in the checkpoint's type and are cast
/// inside the graph: the same results for half the bytes.
/// </summary>
internal sealed class PortableLowering : GraphLowering
{
    protected override ElementType ActivationType => ElementType.F32;

    protected override IReadOnlyList<Dimension> ImageShape(Value value) => [Dimension.Parse("batch"), Dimension.Of(value.Channels), value.Height, value.Width];

    protected override ElementType KeptType(Weight weight, ElementType used) => weight.Stored;

    protected override string Convolve(Convolution operation)
    {
        long kernel = operation.Kernel.Shape[2];
        return Graph.Node(
            "Conv",
            [Use(operation.Input), Use(operation.Kernel, ElementType.F32), Use(operation.Bias, ElementType.F32)],
            Ints("kernel_shape", kernel, kernel),
            Ints("pads", operation.Pad, operation.Pad, operation.PadEnd, operation.PadEnd),
            Ints("strides", operation.Stride, operation.Stride));
    }

    protected override string Normalise(GroupNorm operation)
    {
        string x = Use(operation.Input);
        int channels = operation.Input.Channels;
        if (operation.Shift is not null) x = Graph.Node("Add", [x, Graph.Node("Reshape", [Use(operation.Shift), Graph.Constant(0, -1, 1, 1)])]);

        // The groups as channels of a plane, which InstanceNormalization normalises one by one.
        string grouped = Graph.Node("Reshape", [x, Graph.Constant(0, GroupNorm.Groups, -1)]);
        float[] ones = new float[GroupNorm.Groups];
        Array.Fill(ones, 1);
        string normed = Graph.Node(
            "InstanceNormalization", [grouped, Graph.Constant(ElementType.F32, ones), Graph.Constant(ElementType.F32, new float[GroupNorm.Groups])], Float("epsilon", operation.Epsilon));
        string y = Graph.Node("Reshape", [normed, Graph.Node("Shape", [x])]);
        y = Graph.Node("Mul", [y, Column(operation.Scale, channels)]);
        y = Graph.Node("Add", [y, Column(operation.Offset, channels)]);
        return operation.Silu ? Apply(y, Nonlinearity.Silu) : y;
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

    private string Column(Weight weight, int channels) => Graph.Node("Reshape", [Use(weight, ElementType.F32), Graph.Constant(channels, 1, 1)]);
}
