using MuseAtelier.Format;

namespace MuseAtelier.Residency;

/// <summary>The cost of loading and running a stage, derived from the shapes of its tensors and weights alone.</summary>
/// <param name="WeightBytes">Bytes of its packed weights, padding included.</param>
/// <param name="CastBytes">Bytes of the fp32 copies that it makes of 16-bit weights, where it computes in fp32.</param>
/// <param name="Operations">Multiplications and additions, approximately.</param>
internal readonly record struct StageWork(long WeightBytes, long CastBytes, double Operations)
{
    private const long Alignment = 4096;

    /// <summary>The cost of a component's stage for a shape.</summary>
    public static StageWork Of(ComponentSpec component, StageSpec stage, PictureShape shape)
    {
        IEnumerable<TensorSpec> all = component.Inputs.Concat(component.Outputs).Concat(component.Intermediates);
        Dictionary<string, TensorSpec> tensors = all.DistinctBy(tensor => tensor.Name).ToDictionary(tensor => tensor.Name);
        IEnumerable<string> names = stage.Inputs.Concat(stage.Outputs).Select(binding => binding.Tensor);
        List<double> rows = [.. names.Where(name => !ConditioningNames.IsConditioning(name)).Select(name => Rows(tensors[name], shape))];
        double most = rows.Max(), least = rows.Min();
        if (stage.Kind == StageKind.Convolution)
        {
            // Only the total size of its kernels is known. Some of them work on a plane of half or of double the size.
            return new StageWork(0, 0, (most + least) / 2 * stage.ConstantBytes);
        }

        // The table of an embedding is neither multiplied nor cast: its rows are looked up.
        bool isLookup = stage.Name.StartsWith("embedding.", StringComparison.Ordinal);
        WeightSpec[] products = [.. stage.Weights.Where(weight => weight.Shape.Count >= 2 && !isLookup)];
        double operations = products.Sum(weight => 2 * most * weight.Shape[0] * weight.Shape[1]);
        int blocks = stage.Inputs.Count(binding => binding.Tensor.StartsWith(ConditioningNames.Key, StringComparison.Ordinal));
        if (blocks > 0)
        {
            // Self-attention of each block: scores and weighted sums over all tokens of a picture.
            double tokens = most / shape.Rows, width = stage.Weights.Max(weight => weight.Shape[^1]) / 4.0;
            operations += blocks * 4 * most * tokens * width;
            // Cross-attention to the chunks of a long prompt beyond the first, which the device's measured speed includes.
            operations += blocks * 4 * most * (shape.Tokens - TextChunk.Length) * width;
        }

        bool computesInFp32 = stage.Outputs.All(binding => tensors[binding.Tensor].Type == ElementType.F32);
        return new StageWork(Bytes(stage), computesInFp32 ? CastTo32Bits(products) : 0, operations);
    }

    private static long CastTo32Bits(IEnumerable<WeightSpec> weights) =>
        weights.Where(weight => weight.Type.Size() < sizeof(float)).Sum(weight => weight.Shape[0] * weight.Shape[1] * sizeof(float));

    // All weights of a stage lie together in one file.
    private static long Bytes(StageSpec stage)
    {
        if (stage.Weights.Count == 0) return 0;
        long bytes = stage.Weights.Max(weight => weight.Offset + weight.Bytes) - stage.Weights.Min(weight => weight.Offset);
        return (bytes + Alignment - 1) / Alignment * Alignment;
    }

    // Independent of the layout: the dimensions of a plane depend on the picture, its channels never do. A text's last dimension is its
    // channels.
    private static double Rows(TensorSpec tensor, PictureShape shape)
    {
        bool isPlane = tensor.Shape.Any(dimension => dimension.Text.Contains("height", StringComparison.Ordinal));
        IEnumerable<Dimension> rows = isPlane ? tensor.Shape.Where(dimension => !dimension.IsFixed) : tensor.Shape.SkipLast(1);
        return rows.Aggregate(1.0, (product, dimension) => product * Math.Max(1, dimension.Resolve(shape)));
    }
}
