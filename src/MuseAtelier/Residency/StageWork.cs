using MuseAtelier.Packages;

namespace MuseAtelier.Residency;

/// <summary>What loading and running a stage costs, told by the shapes of its tensors and weights alone.</summary>
/// <param name="WeightBytes">Bytes of its packed weights, with what aligns them.</param>
/// <param name="CastBytes">Bytes of fp32 copies that it makes of weights kept in 16 bits, where it computes in fp32.</param>
/// <param name="Operations">Multiplications and additions, give or take.</param>
internal readonly record struct StageWork(long WeightBytes, long CastBytes, double Operations)
{
    private const long Alignment = 4096;

    public static StageWork Of(ComponentSpec component, StageSpec stage, PictureShape shape)
    {
        Dictionary<string, TensorSpec> tensors = component.Inputs.Concat(component.Outputs).Concat(component.Intermediates).DistinctBy(tensor => tensor.Name).ToDictionary(tensor => tensor.Name);
        List<double> rows = [.. stage.Inputs.Concat(stage.Outputs).Where(binding => !IsConditioning(binding.Tensor)).Select(binding => Rows(tensors[binding.Tensor], shape))];
        double most = rows.Max(), least = rows.Min();
        if (stage.Kind == StageKind.Convolution)
        {
            // Only the sum of its kernels is known, and some of them work on the half or the double plane.
            return new StageWork(0, 0, (most + least) / 2 * stage.ConstantBytes);
        }

        // A table of which rows are taken is no product, and is not cast either.
        IEnumerable<WeightSpec> products = stage.Weights.Where(weight => weight.Shape.Count >= 2 && !stage.Name.StartsWith("embedding.", StringComparison.Ordinal));
        double operations = products.Sum(weight => 2 * most * weight.Shape[0] * weight.Shape[1]);
        int blocks = stage.Inputs.Count(binding => binding.Tensor.StartsWith("key.", StringComparison.Ordinal));
        if (blocks > 0)
        {
            // Each block's attention: scores and their sums, over all tokens of a picture.
            double tokens = most / shape.Batch, width = stage.Weights.Max(weight => weight.Shape[^1]) / 4.0;
            operations += blocks * 4 * most * tokens * width;
        }

        bool computesInFp32 = stage.Outputs.All(binding => tensors[binding.Tensor].Type == ElementType.F32);
        long casts = computesInFp32 ? products.Where(weight => weight.Type.Size() < sizeof(float)).Sum(weight => weight.Shape[0] * weight.Shape[1] * sizeof(float)) : 0;
        return new StageWork(Bytes(stage), casts, operations);
    }

    // All weights of a stage lie together in one file.
    private static long Bytes(StageSpec stage)
    {
        if (stage.Weights.Count == 0) return 0;
        long bytes = stage.Weights.Max(weight => weight.Offset + weight.Bytes) - stage.Weights.Min(weight => weight.Offset);
        return (bytes + Alignment - 1) / Alignment * Alignment;
    }

    private static bool IsConditioning(string tensor) =>
        tensor.StartsWith("key.", StringComparison.Ordinal) || tensor.StartsWith("value.", StringComparison.Ordinal) || tensor.StartsWith("shift.", StringComparison.Ordinal);

    // Whatever the layout: a plane's dimensions depend on the picture, channels never do. A text's last dimension is its channels.
    private static double Rows(TensorSpec tensor, PictureShape shape)
    {
        bool isPlane = tensor.Shape.Any(dimension => dimension.Text.Contains("height", StringComparison.Ordinal));
        IEnumerable<Dimension> rows = isPlane ? tensor.Shape.Where(dimension => !dimension.IsFixed) : tensor.Shape.SkipLast(1);
        return rows.Aggregate(1.0, (product, dimension) => product * Math.Max(1, dimension.Resolve(shape)));
    }
}
