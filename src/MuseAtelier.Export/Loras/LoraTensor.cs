using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Packaging;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// A tensor of a LoRA. It is read when it is first needed and kept in its stored type, so that several merges share it. Thread-safe.
/// </summary>
/// <param name="file">The file.</param>
/// <param name="tensor">The tensor.</param>
internal sealed class LoraTensor(TensorFile file, SafetensorsTensor tensor)
{
    private readonly Lock _lock = new();
    private volatile byte[]? _bytes;

    /// <summary>Its name in the file.</summary>
    public string Name => tensor.Name;

    /// <summary>Its dimensions.</summary>
    public IReadOnlyList<long> Shape => tensor.Shape;

    /// <summary>Number of elements.</summary>
    public long Elements => tensor.Elements;

    /// <summary>Bytes that it takes in memory once it is read.</summary>
    public long Bytes => tensor.Bytes;

    /// <summary>The first dimension; 1 for a scalar.</summary>
    public long Rows => tensor.Shape.Count == 0 ? 1 : tensor.Shape[0];

    /// <summary>Elements for each index of the first dimension.</summary>
    public long RowLength => Rows == 0 ? 0 : Elements / Rows;

    /// <summary>Whether the numbers can be read.</summary>
    public bool IsReadable => FloatDecoding.SizeOf(tensor.TypeName) is not null;

    /// <summary>Its element type, as the file names it.</summary>
    public string TypeName => tensor.TypeName;

    /// <summary>Decodes consecutive numbers.</summary>
    /// <param name="first">The first element, row-major.</param>
    /// <param name="values">Receives the numbers.</param>
    /// <exception cref="CheckpointException">The file cannot be read.</exception>
    /// <exception cref="LoraValueException">A number is not finite.</exception>
    public void Read(long first, Span<float> values)
    {
        int size = FloatDecoding.SizeOf(tensor.TypeName) ?? throw new TensorTypeException(file.Path, Name, tensor.TypeName);
        ReadOnlySpan<byte> source = Load().AsSpan(checked((int)(first * size)), checked(values.Length * size));
        FloatDecoding.TryDecode(tensor.TypeName, source, values);
        if (!FiniteNumbers.Are(values)) throw new LoraValueException(file.Path, Name);
    }

    /// <summary>Frees the memory of the tensor. The next merge reads it again.</summary>
    public void Forget() => _bytes = null;

    private byte[] Load()
    {
        if (_bytes is { } known) return known;
        lock (_lock)
        {
            if (_bytes is { } read) return read;
            byte[] bytes = GC.AllocateUninitializedArray<byte>(checked((int)tensor.Bytes));
            file.CopyTo(tensor, 0, bytes);
            _bytes = bytes;
            return bytes;
        }
    }
}
