using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>Decodes stored numbers to fp32.</summary>
internal static class FloatDecoding
{
    /// <summary>The number of bytes of an element; null for types that are not decoded.</summary>
    /// <param name="typeName">The element type, as safetensors names it.</param>
    public static int? SizeOf(string typeName) => typeName switch
    {
        "F64" or "I64" => 8,
        "F32" or "I32" => 4,
        "F16" or "BF16" => 2,
        "U8" or Float8.E4M3Name or Float8.E5M2Name => 1,
        _ => null,
    };

    /// <summary>Decodes numbers.</summary>
    /// <param name="typeName">The element type, as safetensors names it.</param>
    /// <param name="source">Little-endian numbers.</param>
    /// <param name="target">Receives the numbers.</param>
    /// <returns>Whether the type is known.</returns>
    public static bool TryDecode(string typeName, ReadOnlySpan<byte> source, Span<float> target)
    {
        switch (typeName)
        {
            case "F32": MemoryMarshal.Cast<byte, float>(source).CopyTo(target); break;
            case "F16": TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), target); break;
            case "BF16": WidenBFloat16(MemoryMarshal.Cast<byte, ushort>(source), target); break;
            case "F64": TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, double>(source), target); break;
            case "I64": TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, long>(source), target); break;
            case "I32": TensorPrimitives.ConvertTruncating(MemoryMarshal.Cast<byte, int>(source), target); break;
            case "U8": TensorPrimitives.ConvertTruncating(source, target); break;
            case Float8.E4M3Name or Float8.E5M2Name: Float8.Widen(typeName, source, target); break;
            default: return false;
        }

        return true;
    }

    /// <summary>Decodes numbers of a type that packages store.</summary>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="source">Little-endian numbers.</param>
    /// <param name="target">Receives the numbers.</param>
    public static void Decode(ElementType type, ReadOnlySpan<byte> source, Span<float> target)
    {
        switch (type)
        {
            case ElementType.F32: MemoryMarshal.Cast<byte, float>(source).CopyTo(target); break;
            case ElementType.F16: TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(source), target); break;
            case ElementType.BF16: WidenBFloat16(MemoryMarshal.Cast<byte, ushort>(source), target); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, "Only F32, F16 and BF16 hold fractions.");
        }
    }

    // A bfloat16 number is the upper half of the same number in binary32.
    private static void WidenBFloat16(ReadOnlySpan<ushort> source, Span<float> target)
    {
        Span<uint> bits = MemoryMarshal.Cast<float, uint>(target);
        TensorPrimitives.ConvertTruncating(source, bits);
        TensorPrimitives.ShiftLeft(bits, 16, bits);
    }
}
