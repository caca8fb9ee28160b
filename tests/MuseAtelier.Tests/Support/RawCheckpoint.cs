using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Tests.Support;

/// <summary>
/// A checkpoint's tensors as bytes, under any name, type and shape: for files that the engine's own writer does not make.
/// </summary>
internal sealed partial class RawCheckpoint
{
    /// <summary>A tensor.</summary>
    public sealed record Tensor(string Type, long[] Shape, byte[] Bytes);

    /// <summary>The tensors by name.</summary>
    public SortedDictionary<string, Tensor> Tensors { get; } = new(StringComparer.Ordinal);

    /// <summary>The metadata.</summary>
    public Dictionary<string, string> Metadata { get; } = [];

    /// <summary>Reads a safetensors file.</summary>
    public static RawCheckpoint Read(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        var raw = new RawCheckpoint();
        foreach (SafetensorsTensor tensor in file.Tensors.Values)
            raw.Tensors[tensor.Name] = new Tensor(tensor.TypeName, [.. tensor.Shape], file.Span(tensor).ToArray());
        foreach ((string name, string value) in file.Metadata) raw.Metadata[name] = value;
        return raw;
    }

    /// <summary>Numbers of an F16 tensor.</summary>
    public float[] Floats(string name) => [.. MemoryMarshal.Cast<byte, Half>(Tensors[name].Bytes).ToArray().Select(value => (float)value)];

    /// <summary>Replaces a tensor.</summary>
    public void Set(string name, string type, long[] shape, byte[] bytes) => Tensors[name] = new Tensor(type, shape, bytes);

    /// <summary>Replaces a tensor by F16 numbers.</summary>
    public void SetHalves(string name, float[] values, long[] shape) =>
        Set(name, "F16", shape, MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)).ToArray());

    /// <summary>Replaces a tensor by F32 numbers.</summary>
    public void SetSingles(string name, float[] values, params long[] shape) =>
        Set(name, "F32", shape, MemoryMarshal.AsBytes<float>(values).ToArray());

    /// <summary>Gives tensors other names.</summary>
    public void Rename(Func<string, string?> newName)
    {
        KeyValuePair<string, Tensor>[] all = [.. Tensors];
        Tensors.Clear();
        foreach ((string name, Tensor tensor) in all)
            if (newName(name) is { } changed) Tensors[changed] = tensor;
    }

    /// <summary>Gives a tensor another shape of the same elements.</summary>
    public void Reshape(string name, params long[] shape) => Tensors[name] = Tensors[name] with { Shape = shape };

    /// <summary>Writes the file.</summary>
    public string Write(string path)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("__metadata__");
            foreach ((string name, string value) in Metadata) writer.WriteString(name, value);
            writer.WriteEndObject();
            long offset = 0;
            foreach ((string name, Tensor tensor) in Tensors)
            {
                writer.WriteStartObject(name);
                writer.WriteString("dtype", tensor.Type);
                writer.WritePropertyName("shape");
                JsonSerializer.Serialize(writer, tensor.Shape);
                writer.WritePropertyName("data_offsets");
                JsonSerializer.Serialize(writer, (long[])[offset, offset + tensor.Bytes.Length]);
                writer.WriteEndObject();
                offset += tensor.Bytes.Length;
            }

            writer.WriteEndObject();
        }

        byte[] length = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        using FileStream file = File.Create(path);
        file.Write(length);
        json.WriteTo(file);
        foreach (Tensor tensor in Tensors.Values) file.Write(tensor.Bytes);
        return path;
    }
}
