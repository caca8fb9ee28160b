using System.Text.Json.Serialization;

namespace MuseAtelier.Format;

/// <summary>The order of a weight's elements in a package.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<WeightLayout>))]
internal enum WeightLayout
{
    /// <summary>The order of the checkpoint.</summary>
    Stored,

    /// <summary>The checkpoint's [out, in, rows, columns] becomes [out, rows, columns, in].</summary>
    ChannelsLast,

    /// <summary>The checkpoint's matrix [in, out] becomes [out, in]. The slice is then the whole tensor.</summary>
    Transposed,
}

/// <summary>Some rows of a tensor of the checkpoint. Rows are the outermost dimension.</summary>
/// <param name="Key">Name of the tensor.</param>
/// <param name="FirstRow">The first row.</param>
/// <param name="Rows">Number of rows.</param>
internal sealed record TensorSlice(string Key, long FirstRow, long Rows)
{
    /// <summary>
    /// Name of the tensor that holds the factors of the stored numbers in fp8 checkpoints: one factor for the whole tensor, or one for
    /// each of its rows. Null means 1.
    /// </summary>
    public string? Multiplier { get; init; }

    /// <summary>The factor of every element; null means 1.</summary>
    public float? Scale { get; init; }
}

/// <summary>
/// A weight: its source in the checkpoint, its type and shape, and its place in the package. The values are the fp32 sum of the slices,
/// added from the last one to the first, then arranged as <see cref="Layout"/> and rounded to <see cref="Type"/>.
/// </summary>
/// <param name="Graph">Name of the graph's input or constant.</param>
/// <param name="Slices">The slices of the checkpoint whose sum is the weight. Each has as many elements as the weight.</param>
/// <param name="Type">Element type as stored.</param>
/// <param name="Shape">Dimensions as stored.</param>
/// <param name="File">The file of the package that holds it.</param>
/// <param name="Offset">First byte in that file: a multiple of 256 for an input, of 4,096 for a constant.</param>
internal sealed record WeightSpec(
    string Graph, IReadOnlyList<TensorSlice> Slices, ElementType Type, IReadOnlyList<long> Shape, string File, long Offset)
{
    /// <summary>The order of the elements.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public WeightLayout Layout { get; init; }

    /// <summary>The names of the checkpoint's tensors that the weight is made of, for messages.</summary>
    [JsonIgnore]
    public string Source => string.Join(" + ", Slices.Select(slice => slice.Key));

    /// <summary>Number of elements.</summary>
    [JsonIgnore]
    public long Elements => Shape.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>Bytes that the weight takes.</summary>
    [JsonIgnore]
    public long Bytes => checked(Elements * Type.Size());

    /// <summary>The bytes of the weight, which are the key by which copies in memory are shared.</summary>
    [JsonIgnore]
    public WeightRange Range => new(File, Offset, Bytes);
}
