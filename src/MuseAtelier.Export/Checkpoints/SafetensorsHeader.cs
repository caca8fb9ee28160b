using System.Text.Json;
using static System.FormattableString;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// Reads a safetensors header token by token and checks every number in it. A document model would use several times the header's size and
/// would accept duplicate names.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The most tensors in a file. SDXL has 2,515, and about 5,000 with its copies for training.</summary>
    internal const int MostTensors = 32_768;

    private const string MetadataName = "__metadata__";

    // Each part of a header has its own limit because the parts are copied into objects several times their size.
    private const int LongestName = 512;
    private const int LongestType = 64;
    private const int MostDimensions = 64;
    private const int MostMetadata = 1024;
    private const int ShortMetadata = 1024;
    private const int LongestMetadata = 1 << 20;
    private const int LongestMetadataOfAll = 4 << 20;

    private readonly string _path;
    private readonly long _dataStart;
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SafetensorsTensor> _tensors = new(StringComparer.Ordinal);
    private int _metadataLength;

    private SafetensorsHeader(string path, long dataStart)
    {
        _path = path;
        _dataStart = dataStart;
    }

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors => _tensors;

    /// <summary>Parses a header and checks every tensor against the size of the file.</summary>
    public static SafetensorsHeader Parse(string path, ReadOnlySpan<byte> json, long dataStart, long fileBytes)
    {
        var header = new SafetensorsHeader(path, dataStart);
        try
        {
            header.ReadRoot(json);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a name or a string that is not valid UTF-8.
            string found = exception is JsonException ? "it is not JSON of the right form" : "it is not valid UTF-8";
            throw new CheckpointHeaderException(path, found, exception);
        }

        header.CheckRanges(fileBytes);
        return header;
    }

    /// <summary>Shortens a name to at most 120 characters without control characters, for use in a message.</summary>
    internal static string Shorten(string name)
    {
        string line = name.Length > 120 ? string.Concat(name.AsSpan(0, 119), "…") : name;
        return line.Any(char.IsControl) ? string.Concat(line.Select(c => char.IsControl(c) ? '?' : c)) : line;
    }

    private void ReadRoot(ReadOnlySpan<byte> json)
    {
        // The format nests three levels. The reader's limit rejects hostile depth without recursion.
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) throw new CheckpointHeaderException(_path, "it is no JSON object");
        bool hasMetadata = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = ReadName(ref reader);
            reader.Read();
            if (name != MetadataName) ReadTensor(ref reader, name);
            else if (hasMetadata) throw new DuplicateTensorException(_path, MetadataName);
            else
            {
                hasMetadata = true;
                ReadMetadata(ref reader);
            }
        }

        // Reading to the end makes the reader reject anything but white space after the object.
        while (reader.Read()) { }
    }

    private string ReadName(ref Utf8JsonReader reader)
    {
        if (reader.ValueSpan.Length > LongestName)
            throw new CheckpointHeaderException(_path, Invariant($"a tensor's name has more than {LongestName} bytes"));
        if (_tensors.Count == MostTensors)
            throw new CheckpointHeaderException(_path, Invariant($"it names more than {MostTensors} tensors"));
        return reader.GetString()!;
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new CheckpointHeaderException(_path, $"{MetadataName} is no object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            // Values beyond the limits are skipped. They are not needed: trainers store the words of their data sets there. Short values
            // must be kept because some of them state the prediction type.
            bool isLong = reader.ValueSpan.Length > LongestName || _metadata.Count == MostMetadata;
            string name = isLong ? "" : reader.GetString()!;
            reader.Read();
            // The format allows only strings. Some trainers write other values, which are not needed either and are skipped.
            int length = reader.ValueSpan.Length;
            bool fits = length <= ShortMetadata || (length <= LongestMetadata && _metadataLength + length <= LongestMetadataOfAll);
            if (reader.TokenType != JsonTokenType.String || isLong || !fits)
            {
                reader.Skip();
                continue;
            }

            if (length > ShortMetadata) _metadataLength += length;
            if (!_metadata.TryAdd(name, reader.GetString()!)) throw new DuplicateTensorException(_path, $"{MetadataName}.{name}");
        }
    }

    private void ReadTensor(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new CheckpointHeaderException(_path, $"'{Shorten(name)}' is no object");
        string? type = null;
        List<long>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("dtype"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.String || reader.ValueSpan.Length > LongestType)
                    throw new CheckpointHeaderException(_path, $"'{Shorten(name)}' has a dtype that is no name of one");
                type = reader.GetString();
            }
            else if (reader.ValueTextEquals("shape"u8)) shape = ReadNumbers(ref reader, name, "shape");
            else if (reader.ValueTextEquals("data_offsets"u8)) offsets = ReadNumbers(ref reader, name, "data_offsets");
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        if (type is null || shape is null || offsets is not [long begin, long end])
            throw new CheckpointHeaderException(_path, $"'{Shorten(name)}' lacks a dtype, a shape or two data_offsets");
        if (!_tensors.TryAdd(name, Describe(name, type, shape, begin, end)))
            throw new DuplicateTensorException(_path, name);
    }

    private List<long> ReadNumbers(ref Utf8JsonReader reader, string name, string member)
    {
        var numbers = new List<long>(4);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray) throw new CheckpointHeaderException(_path, $"{Subject()} is no array");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
                throw new CheckpointHeaderException(_path, $"{Subject()} holds something else than whole numbers from 0 to 2^63 - 1");
            if (numbers.Count == MostDimensions)
                throw new CheckpointHeaderException(_path, Invariant($"{Subject()} holds more than {MostDimensions} numbers"));
            numbers.Add(number);
        }

        return numbers;

        string Subject() => $"{member} of '{Shorten(name)}'";
    }

    private SafetensorsTensor Describe(string name, string type, List<long> shape, long begin, long end)
    {
        if (begin > end || end > long.MaxValue - _dataStart)
            throw new TensorRangeException(_path, name, Invariant($"lies from byte {begin} to byte {end} of the data"));
        string shapeText = Invariant($"has shape {ShapeText(shape)} of {Shorten(type)}");
        if (!TryMultiply(shape, out long elements)) throw new TensorShapeException(_path, name, shapeText, "fewer than 2^63 elements");
        long bytes = end - begin;
        // Extra tensors may have an unknown type. Their shapes are not checked because they are never read.
        if (BitsOf(type) is int bits) CheckSize(name, shapeText, (UInt128)(ulong)elements * (uint)bits, bytes);
        return new SafetensorsTensor(name, type, shape.AsReadOnly(), _dataStart + begin, bytes, elements);
    }

    private void CheckSize(string name, string shapeText, UInt128 expectedBits, long bytes)
    {
        if (expectedBits == (UInt128)(ulong)bytes * 8) return;
        UInt128 expectedBytes = (expectedBits + 7) / 8;
        throw new TensorShapeException(_path, name, Invariant($"{shapeText} in {bytes:N0} bytes"), Invariant($"{expectedBytes} bytes"));
    }

    private void CheckRanges(long fileBytes)
    {
        SafetensorsTensor[] ordered = [.. _tensors.Values.Where(tensor => tensor.Bytes > 0)];
        Array.Sort(ordered, static (a, b) => a.Offset.CompareTo(b.Offset));
        for (int i = 1; i < ordered.Length; i++)
        {
            SafetensorsTensor before = ordered[i - 1];
            if (ordered[i].Offset < before.Offset + before.Bytes)
                throw new TensorRangeException(_path, ordered[i].Name, $"overlaps '{Shorten(before.Name)}'");
        }

        long end = ordered.Length == 0 ? _dataStart : ordered[^1].Offset + ordered[^1].Bytes;
        if (end > fileBytes) throw new CheckpointTruncatedException(_path, fileBytes, end);
    }

    internal static string ShapeText(IReadOnlyList<long> shape) =>
        shape.Count > 16 ? $"of {shape.Count} dimensions" : $"[{string.Join(", ", shape)}]";

    private static bool TryMultiply(List<long> shape, out long product)
    {
        product = 1;
        // With a zero the product is zero, even where the other sizes overflow.
        if (shape.Contains(0))
        {
            product = 0;
            return true;
        }

        foreach (long size in shape)
        {
            if (product > long.MaxValue / size) return false;
            product *= size;
        }

        return true;
    }

    private static int? BitsOf(string type) => type switch
    {
        "F64" or "I64" or "U64" or "C64" => 64,
        "F32" or "I32" or "U32" => 32,
        "F16" or "BF16" or "I16" or "U16" => 16,
        "I8" or "U8" or "BOOL" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" or "F8_E4M3FNUZ" or "F8_E5M2FNUZ" => 8,
        "F6_E2M3" or "F6_E3M2" => 6,
        "F4" => 4,
        _ => null,
    };
}
