using System.Buffers.Binary;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;
using MuseAtelier.Export.Storage;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>A tensor to be written.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its dimensions, outermost first; empty for a scalar.</param>
internal sealed record SafetensorsDeclaration(string Name, ElementType Type, IReadOnlyList<long> Shape)
{
    /// <summary>The number of elements.</summary>
    public long Elements => Shape.Aggregate(1L, static (product, size) => checked(product * size));

    /// <summary>The size in bytes.</summary>
    public long Bytes => checked(Elements * Type.Size());
}

/// <summary>
/// Writes a safetensors file sequentially: all tensors are declared first, then their data follows in the same order, in pieces of any
/// size. The file has a temporary name until it is complete.
/// </summary>
internal sealed class SafetensorsWriter : IDisposable
{
    private const int ConversionElements = 1 << 14;

    private readonly NewFile _file;
    private readonly IReadOnlyList<SafetensorsDeclaration> _tensors;
    private readonly byte[] _converted = new byte[ConversionElements * sizeof(float)];
    private int _current = -1;
    private long _remaining;

    private SafetensorsWriter(NewFile file, IReadOnlyList<SafetensorsDeclaration> tensors) => (_file, _tensors) = (file, tensors);

    /// <summary>Creates a file and writes its header.</summary>
    /// <param name="path">Path of the file. An existing file is replaced on completion.</param>
    /// <param name="tensors">Every tensor, in the order in which the data will be written.</param>
    /// <param name="metadata">The header's <c>__metadata__</c>; null for none.</param>
    public static SafetensorsWriter Create(
        string path, IReadOnlyList<SafetensorsDeclaration> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);
        byte[] header = Header(tensors, metadata);
        NewFile file = NewFile.Create(path, header.Length + tensors.Sum(static tensor => tensor.Bytes));
        var writer = new SafetensorsWriter(file, tensors);
        try
        {
            file.Stream.Write(header);
            writer.Advance();
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <summary>The tensor whose data is to be written next; null when all tensors are complete.</summary>
    public SafetensorsDeclaration? Current => _current < _tensors.Count ? _tensors[_current] : null;

    /// <summary>Writes the next bytes of the current tensor. The next tensor begins when this one is complete.</summary>
    /// <param name="data">Little-endian, row-major bytes, no more than the current tensor lacks.</param>
    public void Write(ReadOnlySpan<byte> data)
    {
        if (data.IsEmpty) return;
        if (data.Length > _remaining)
            throw new InvalidOperationException($"'{Current?.Name}' lacks {_remaining} bytes, but {data.Length} were given.");
        _file.Stream.Write(data);
        _remaining -= data.Length;
        Advance();
    }

    /// <summary>
    /// Writes the next elements of the current tensor, converted to its type (F32, F16 or BF16) with rounding to nearest even.
    /// </summary>
    /// <param name="values">Row-major values, no more than the current tensor lacks.</param>
    public void Write(ReadOnlySpan<float> values)
    {
        while (!values.IsEmpty)
        {
            ReadOnlySpan<float> part = values[..Math.Min(values.Length, ConversionElements)];
            ElementType type = Current?.Type ?? throw new InvalidOperationException("Every tensor is written.");
            Span<byte> bytes = _converted.AsSpan(0, part.Length * type.Size());
            FloatEncoding.Encode(part, type, bytes);
            Write(bytes);
            values = values[part.Length..];
        }
    }

    /// <summary>Checks that every tensor is complete and renames the file to its final name.</summary>
    public void Complete()
    {
        if (Current is not null) throw new InvalidOperationException($"'{Current.Name}' lacks {_remaining} bytes.");
        _file.Complete();
    }

    /// <summary>Closes the file. An incomplete file is deleted.</summary>
    public void Dispose() => _file.Dispose();

    private void Advance()
    {
        while (_remaining == 0 && _current < _tensors.Count)
        {
            _current++;
            _remaining = Current?.Bytes ?? 0;
        }
    }

    private static byte[] Header(IReadOnlyList<SafetensorsDeclaration> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var json = new MemoryStream();
        json.Write(stackalloc byte[sizeof(long)]);
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            if (metadata is not null)
            {
                writer.WriteStartObject("__metadata__");
                foreach ((string name, string value) in metadata) writer.WriteString(name, value);
                writer.WriteEndObject();
            }

            long offset = 0;
            foreach (SafetensorsDeclaration tensor in tensors) offset = Describe(writer, tensor, offset);
            writer.WriteEndObject();
        }

        // The format recommends padding with spaces to keep the data aligned for 8-byte elements.
        while (json.Length % sizeof(long) != 0) json.WriteByte((byte)' ');
        byte[] header = json.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(header, header.Length - sizeof(long));
        return header;
    }

    private static long Describe(Utf8JsonWriter writer, SafetensorsDeclaration tensor, long offset)
    {
        writer.WriteStartObject(tensor.Name);
        writer.WriteString("dtype", tensor.Type.ToString());
        writer.WriteStartArray("shape");
        foreach (long size in tensor.Shape) writer.WriteNumberValue(size);
        writer.WriteEndArray();
        writer.WriteStartArray("data_offsets");
        writer.WriteNumberValue(offset);
        writer.WriteNumberValue(checked(offset + tensor.Bytes));
        writer.WriteEndArray();
        writer.WriteEndObject();
        return offset + tensor.Bytes;
    }
}

/// <summary>Encodes numbers in a floating-point element type.</summary>
internal static class FloatEncoding
{
    /// <summary>Encodes numbers with rounding to nearest even.</summary>
    /// <param name="values">The numbers.</param>
    /// <param name="type">F32, F16 or BF16.</param>
    /// <param name="bytes">Receives the bytes, little-endian; must have the size of the numbers in that type.</param>
    public static void Encode(ReadOnlySpan<float> values, ElementType type, Span<byte> bytes)
    {
        switch (type)
        {
            case ElementType.F32: MemoryMarshal.AsBytes(values).CopyTo(bytes); break;
            case ElementType.F16: TensorPrimitives.ConvertToHalf(values, MemoryMarshal.Cast<byte, Half>(bytes)); break;
            case ElementType.BF16: NarrowToBFloat16(values, MemoryMarshal.Cast<byte, ushort>(bytes)); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, "Only F32, F16 and BF16 hold fractions.");
        }
    }

    private static void NarrowToBFloat16(ReadOnlySpan<float> values, Span<ushort> target)
    {
        ReadOnlySpan<uint> bits = MemoryMarshal.Cast<float, uint>(values);
        for (int i = 0; i < bits.Length; i++)
        {
            // Rounding could carry a NaN's mantissa into an infinity, so a NaN keeps its upper half and is made quiet.
            target[i] = (bits[i] & 0x7FFFFFFF) > 0x7F800000
                ? (ushort)((bits[i] >> 16) | 0x40)
                : (ushort)((bits[i] + 0x7FFF + ((bits[i] >> 16) & 1)) >> 16);
        }
    }
}
