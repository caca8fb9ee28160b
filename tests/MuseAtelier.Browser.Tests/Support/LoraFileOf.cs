using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace MuseAtelier.Browser.Tests.Support;

/// <summary>Writes a small LoRA for the Miniature: one of rank 2 that changes one layer.</summary>
internal static class LoraFileOf
{
    private const string Layer = "middle_block.1.transformer_blocks.0.attn2.to_q";
    private const int Rank = 2;

    /// <summary>Writes the file.</summary>
    /// <param name="path">Path of the file; its folder is created.</param>
    /// <param name="title">Its title.</param>
    /// <param name="words">Its trigger words.</param>
    public static void Write(string path, string title, string words)
    {
        (int rows, int columns) = ShapeOf($"model.diffusion_model.{Layer}.weight");
        string name = $"lora_unet_{Layer.Replace('.', '_')}";
        int down = Rank * columns * sizeof(float), up = rows * Rank * sizeof(float);
        byte[] header = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>
        {
            ["__metadata__"] = new Dictionary<string, string> { ["modelspec.title"] = title, ["modelspec.trigger_phrase"] = words },
            [$"{name}.lora_down.weight"] = Tensor([Rank, columns], 0, down),
            [$"{name}.lora_up.weight"] = Tensor([rows, Rank], down, down + up),
        });
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using FileStream file = File.Create(path);
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        file.Write(length);
        file.Write(header);
        float[] values = [.. Enumerable.Range(0, (down + up) / sizeof(float)).Select(i => MathF.Sin(i) / 8)];
        file.Write(MemoryMarshal.AsBytes<float>(values));
    }

    private static object Tensor(int[] shape, int from, int to) => new { dtype = "F32", shape, data_offsets = new[] { from, to } };

    // [rows, columns] of a weight of the Miniature.
    private static (int Rows, int Columns) ShapeOf(string name)
    {
        using FileStream file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "miniature.safetensors"));
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        file.ReadExactly(length);
        byte[] header = new byte[BinaryPrimitives.ReadUInt64LittleEndian(length)];
        file.ReadExactly(header);
        using var json = JsonDocument.Parse(header);
        JsonElement shape = json.RootElement.GetProperty(name).GetProperty("shape");
        return (shape[0].GetInt32(), shape[1].GetInt32());
    }
}
