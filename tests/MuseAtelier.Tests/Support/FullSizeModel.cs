using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Tests.Support;

/// <summary>The sizes of SDXL at full size, read from a checkpoint that has a header and, after it, nothing but a hole.</summary>
internal static class FullSizeModel
{
    private static readonly Lazy<ModelSizes> CudaSizes = new(() => Read(Lowering.Cuda)), PortableSizes = new(() => Read(Lowering.Portable));

    /// <summary>Lowered for a card.</summary>
    public static ModelSizes Cuda => CudaSizes.Value;

    /// <summary>Lowered for a processor.</summary>
    public static ModelSizes Portable => PortableSizes.Value;

    private static ModelSizes Read(Lowering lowering)
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("muse-").FullName, "full-size.safetensors");
        try
        {
            WriteHole(path);
            return ModelSizes.Read(path, lowering);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    private static void WriteHole(string path)
    {
        var header = new JsonObject();
        long end = 0;
        foreach ((string name, IReadOnlyList<long> shape) in RandomCheckpoint.ReadShapes(
            Path.Combine(GoldenFiles.Folder, "sdxl_keys.json")))
        {
            bool isIndex = name.EndsWith("position_ids", StringComparison.Ordinal);
            long start = end;
            end += shape.Aggregate(1L, (product, size) => product * size) * (isIndex ? sizeof(long) : 2);
            header[name] = new JsonObject
            {
                ["dtype"] = isIndex ? "I64" : "F16",
                ["shape"] = new JsonArray([.. shape.Select(size => JsonValue.Create(size))]),
                ["data_offsets"] = new JsonArray(JsonValue.Create(start), JsonValue.Create(end)),
            };
        }

        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header), length = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        using FileStream file = File.Create(path);
        SparseFile.Mark(file);
        file.Write(length);
        file.Write(json);
        file.SetLength(length.Length + json.Length + end);
    }
}
