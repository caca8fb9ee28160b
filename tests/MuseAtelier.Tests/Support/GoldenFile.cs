using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace MuseAtelier.Tests.Support;

/// <summary>Reference values: a safetensors file and the JSON file of the same name beside it.</summary>
/// <remarks>Reads by itself, so that a fault in the engine's own reader cannot hide in its tests.</remarks>
internal sealed class GoldenFile
{
    private readonly byte[] _bytes;
    private readonly int _data;
    private readonly JsonElement _header;

    public GoldenFile(string path)
    {
        Path = path;
        _bytes = File.ReadAllBytes(path);
        _data = 8 + checked((int)BinaryPrimitives.ReadUInt64LittleEndian(_bytes));
        using var header = JsonDocument.Parse(_bytes.AsMemory(8, _data - 8));
        _header = header.RootElement.Clone();
        using var notes = JsonDocument.Parse(File.ReadAllBytes(System.IO.Path.ChangeExtension(path, ".json")));
        Notes = notes.RootElement.Clone();
    }

    public string Path { get; }

    /// <summary>The JSON file: prompts, tokens.</summary>
    public JsonElement Notes { get; }

    public IEnumerable<string> Names => _header.EnumerateObject().Select(tensor => tensor.Name).Where(name => name != "__metadata__");

    public int[] Shape(string name) => [.. _header.GetProperty(name).GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];

    public float[] Floats(string name) => Read<float>(name, "F32");

    public byte[] Bytes(string name) => Read<byte>(name, "U8");

    public long[] Longs(string name) => Read<long>(name, "I64");

    public int[][] Rows(string name) =>
        [.. Notes.GetProperty(name).EnumerateArray().Select(row => row.EnumerateArray().Select(id => id.GetInt32()).ToArray())];

    public string[] Prompts => [.. Notes.GetProperty("prompts").EnumerateArray().Select(prompt => prompt.GetString()!)];

    public override string ToString() => System.IO.Path.GetFileName(Path);

    private T[] Read<T>(string name, string type) where T : struct
    {
        JsonElement tensor = _header.GetProperty(name);
        Assert.Equal(type, tensor.GetProperty("dtype").GetString());
        JsonElement offsets = tensor.GetProperty("data_offsets");
        int start = offsets[0].GetInt32(), end = offsets[1].GetInt32();
        return MemoryMarshal.Cast<byte, T>(_bytes.AsSpan(_data + start, end - start)).ToArray();
    }
}
