using System.Runtime.InteropServices;

namespace MuseAtelier.Tests.Support;

/// <summary>Writes embeddings (textual inversion) for SDXL.</summary>
internal static class EmbeddingWriter
{
    /// <summary>Writes a safetensors file.</summary>
    /// <param name="path">Path of the file; its folder is created.</param>
    /// <param name="clipL">[count, width] vectors for CLIP-L.</param>
    /// <param name="clipG">[count, width] vectors for CLIP-G.</param>
    /// <param name="count">The number of vectors.</param>
    public static string Write(string path, float[] clipL, float[] clipG, int count)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return Tensors(clipL, clipG, count).Write(path);
    }

    /// <summary>Writes a small file for tests that encode nothing: vectors of four numbers.</summary>
    /// <param name="path">Path of the file; its folder is created.</param>
    /// <param name="count">The number of vectors.</param>
    /// <param name="first">The first number, by which files differ.</param>
    public static string WriteSmall(string path, int count, float first = 0)
    {
        float[] vectors = [.. Enumerable.Range(0, 4 * count).Select(i => first + i)];
        return Write(path, vectors, vectors, count);
    }

    /// <summary>The two tensors.</summary>
    public static RawCheckpoint Tensors(float[] clipL, float[] clipG, int count)
    {
        var raw = new RawCheckpoint();
        raw.SetSingles("clip_l", clipL, count, clipL.Length / count);
        raw.SetSingles("clip_g", clipG, count, clipG.Length / count);
        return raw;
    }

    /// <summary>The bytes of numbers in a type.</summary>
    public static byte[] Bytes(string type, float[] values) => type switch
    {
        "F32" => MemoryMarshal.AsBytes<float>(values).ToArray(),
        "F16" => MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)).ToArray(),
        "BF16" => MemoryMarshal.AsBytes<ushort>(
            Array.ConvertAll(values, value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16))).ToArray(),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };
}
