using MuseAtelier.Export.Networks;
using MuseAtelier.Packages;
using static MuseAtelier.Export.Onnx.GraphBuilder;

namespace MuseAtelier.Export.Lowerings;

/// <summary>
/// For NVIDIA cards: images lie as [batch, height, width, channels], which convolutions on tensor cores want; at a component's border they
/// are fp32 and [batch, channels, height, width] in every lowering. Sums and the group norms that read them are one operator, which takes
/// the convolution's bias along. Norms, gates and sums with bias are the project's own (<see cref="OperatorNames"/>): ONNX Runtime's group
/// norm gives other last bits in every run. No graph needs an operator that the card does not have.
/// </summary>
internal sealed class CudaLowering(ElementType precision) : GraphLowering
{
    protected override ElementType ActivationType => precision;

    protected override IReadOnlyList<Dimension> ImageShape(Value value) =>
        IsBorder(value) ? [value.Batch, Dimension.Of(value.Channels), value.Height, value.Width] : [value.Batch, value.Height, value.Width, Dimension.Of(value.Channels)];

    protected override ElementType KeptType(Weight weight, ElementType used) => used == ElementType.F32 ? weight.Stored : used;

    protected override IReadOnlyList<Operation> Fuse(Stage stage)
    {
        var operations = new List<Operation>(stage.Operations);
        foreach (GroupNorm norm in stage.Operations.OfType<GroupNorm>())
        {
            // A ResBlock's shift is one value a channel for each row of the batch.
            Add? sum = norm.Shift is null ? operations.OfType<Add>().FirstOrDefault(add => add.Output == norm.Input) : null;
            if (sum is null)
            {
                if (TakeBias(norm.Input, out Weight? own) || norm.Shift is not null)
                    Replace(norm, norm, new ResidualGroupNorm(norm.Input, own, norm.Shift, norm.Output, null, norm.Scale, norm.Offset, norm.Epsilon, norm.Silu));
                continue;
            }

            Weight? bias = sum.Bias;
            if (TakeBias(sum.Right, out Weight? right)) bias = Together(bias, right);
            if (TakeBias(sum.Left, out Weight? left)) bias = Together(bias, left);
            Replace(sum, norm, new ResidualGroupNorm(sum.Right, bias, sum.Left, norm.Output, sum.Output, norm.Scale, norm.Offset, norm.Epsilon, norm.Silu));
        }

        return operations;

        // A convolution that nothing else reads gives its bias away.
        bool TakeBias(Value value, out Weight? bias)
        {
            bias = null;
            int maker = operations.FindIndex(operation => operation is Convolution { Bias: not null } && operation.Outputs[0] == value);
            if (maker < 0 || stage.Outputs.Contains(value) || operations.Sum(operation => operation.Inputs.Count(input => input == value)) != 1) return false;
            var convolution = (Convolution)operations[maker];
            bias = convolution.Bias;
            operations[maker] = convolution with { Bias = null };
            return true;
        }

        void Replace(Operation first, Operation second, Operation replacement)
        {
            operations[operations.IndexOf(first)] = replacement;
            if (second != first) operations.Remove(second);
        }
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

    protected override string Normalise(GroupNorm operation) =>
        Norm(1, [Use(operation.Input), Use(operation.Scale, ElementType.F32), Use(operation.Offset, ElementType.F32)], operation.Epsilon, operation.Silu)[0];

    protected override (string Normed, string Sum) Normalise(ResidualGroupNorm operation)
    {
        List<string> inputs = [Use(operation.Input), Use(operation.Scale, ElementType.F32), Use(operation.Offset, ElementType.F32), operation.Residual is null ? "" : Use(operation.Residual)];
        if (operation.Bias is not null) inputs.Add(Use(operation.Bias, precision));
        IReadOnlyList<string> outputs = Norm(operation.Sum is null ? 1 : 2, inputs, operation.Epsilon, operation.Silu);
        return (outputs[0], outputs[^1]);
    }

    protected override (string Normed, string Sum) Normalise(ResidualLayerNorm operation)
    {
        if (TypeOf(operation.Output) != ElementType.F16) return base.Normalise(operation);
        IReadOnlyList<string> outputs = Graph.Node(
            OperatorNames.ResidualLayerNorm, OperatorNames.Domain, 2,
            [Use(operation.Input), Use(operation.Residual, ElementType.F32), Use(operation.Bias, ElementType.F16), Use(operation.Scale, ElementType.F32), Use(operation.Offset, ElementType.F32)], [Float("epsilon", LayerNorm.Epsilon)]);
        return (outputs[0], outputs[1]);
    }

    protected override string Sum(Add operation) => operation.Bias is null
        ? Graph.Node("Add", [Use(operation.Left), Use(operation.Right)])
        : Graph.Node(precision == ElementType.F16 ? OperatorNames.BiasedSum : OperatorNames.BiasedSum32, OperatorNames.Domain, 1, [Use(operation.Left), Use(operation.Bias, precision), Use(operation.Right)], [])[0];

    protected override string Sum(ResidualBias operation) => TypeOf(operation.Output) != ElementType.F16
        ? base.Sum(operation)
        : Graph.Node(OperatorNames.StreamSum, OperatorNames.Domain, 1, [Use(operation.Input), Use(operation.Bias, ElementType.F16), Use(operation.Residual, ElementType.F32)], [])[0];

    protected override string Gate(Geglu operation)
    {
        string wide = Multiply(Use(operation.Input), Use(operation.Kernel, precision));
        if (precision == ElementType.F16) return Graph.Node(OperatorNames.Gate, OperatorNames.Domain, 1, [wide, Use(operation.Bias, precision)], [])[0];
        IReadOnlyList<string> halves = Graph.Node("Split", "", 2, [AddBias(wide, operation.Bias, precision)], [Int("axis", 2), Int("num_outputs", 2)]);
        return Graph.Node("Mul", [halves[0], Apply(halves[1], Nonlinearity.Gelu)]);
    }

    protected override string Join(Concatenate operation) => Graph.Node("Concat", [Use(operation.First), Use(operation.Second)], Int("axis", 3));

    protected override string Double(Upsample operation)
    {
        // Only the plane's size is taken from a shape, which never leaves the host: an operator on shapes would need the processor.
        string x = Use(operation.Input);
        string[] inputs = operation.Like is null
            ? [x, "", Graph.Constant(ElementType.F32, 1, 2, 2, 1)]
            : [x, "", "", Graph.Node("Shape", [Use(operation.Like)], Int("start", 1), Int("end", 3))];
        List<Onnx.Proto.AttributeProto> attributes = [Text("mode", "nearest"), Text("coordinate_transformation_mode", "asymmetric"), Text("nearest_mode", "floor")];
        if (operation.Like is not null) attributes.Add(Ints("axes", 1, 2));
        return Graph.Node("Resize", inputs, [.. attributes]);
    }

    protected override string Flatten(ToTokens operation) => Graph.Node("Reshape", [Use(operation.Input), Graph.Constant(0, -1, operation.Input.Channels)]);

    protected override string Unflatten(ToImage operation) => Graph.Node("Reshape", [Use(operation.Input), Graph.Node("Shape", [Use(operation.Like)])]);

    protected override IReadOnlyList<string> Split(Halve operation)
    {
        IReadOnlyList<string> halves = Graph.Node("Split", "", 2, [Use(operation.Input)], [Int("axis", 3), Int("num_outputs", 2)]);
        return [Image(operation.First, halves[0]), Image(operation.Second, halves[1])];
    }

    private static bool IsBorder(Value value) => value.Type == ElementType.F32;

    private static Weight? Together(Weight? first, Weight? second) => first is null ? second : second is null ? first : first with { Plus = first.Plus is null ? second : Together(first.Plus, second) };

    // [batch, channels, height, width] fp32 as it comes in, to how images lie here.
    private string Image(Value value) =>
        IsBorder(value) ? Graph.Node("Transpose", [Use(value, precision)], Ints("perm", 0, 2, 3, 1)) : Use(value);

    // An image as it is computed, to how it goes out.
    private string Image(Value value, string computed) =>
        IsBorder(value) ? Graph.Node("Transpose", [Cast(computed, precision, ElementType.F32)], Ints("perm", 0, 3, 1, 2)) : computed;

    private IReadOnlyList<string> Norm(int outputs, IReadOnlyList<string> inputs, float epsilon, bool silu) =>
        Graph.Node(precision == ElementType.F16 ? OperatorNames.GroupNorm : OperatorNames.GroupNorm32, OperatorNames.Domain, outputs, inputs, [Float("epsilon", epsilon), Int("silu", silu ? 1 : 0)]);
}
