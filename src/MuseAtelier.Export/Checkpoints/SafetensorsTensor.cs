using MuseAtelier.Format;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>A tensor as described in the header of a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="TypeName">Its element type, as the file names it.</param>
/// <param name="Shape">Its dimensions, outermost first; empty for a scalar.</param>
/// <param name="Offset">Its first byte, counted from the start of the file.</param>
/// <param name="Bytes">Its size in bytes.</param>
/// <param name="Elements">The product of its dimensions.</param>
internal sealed record SafetensorsTensor(string Name, string TypeName, IReadOnlyList<long> Shape, long Offset, long Bytes, long Elements)
{
    /// <summary>Its element type; null for types that packages do not support (F64, I8, BOOL, F8_E4M3 and so on).</summary>
    public ElementType? Type { get; } = TypeName switch
    {
        "F32" => ElementType.F32,
        "F16" => ElementType.F16,
        "BF16" => ElementType.BF16,
        "I64" => ElementType.I64,
        "I32" => ElementType.I32,
        "U8" => ElementType.U8,
        _ => null,
    };

    /// <summary>
    /// The element type in which a package stores a weight of this type: the same type where packages support it, F32 for F64, and F16 for
    /// both fp8 formats because F16 represents their numbers exactly. Null for types that are not supported for weights.
    /// </summary>
    public ElementType? WeightType => TypeName switch
    {
        "F64" => ElementType.F32,
        Float8.E4M3Name or Float8.E5M2Name => ElementType.F16,
        _ => Type is ElementType.F32 or ElementType.F16 or ElementType.BF16 ? Type : null,
    };
}
