using System.Runtime.InteropServices;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Tests.Support;

/// <summary>
/// A checkpoint of the Miniature's shape with half of its channels, which paints in a quarter of the time. It is not trained: its pictures
/// show nothing, but they are as deterministic as those of any model, and another seed or prompt gives another picture. For tests whose
/// subject is not what a picture shows.
/// </summary>
internal static class NarrowCheckpoint
{
    /// <summary>The file's name.</summary>
    public const string Name = "narrow.safetensors";

    // The narrowest layers of the Miniature. Fewer channels are the latents and the pixels.
    private const int NarrowestLayer = 64;

    /// <summary>Writes the checkpoint to a path. The bytes are always the same.</summary>
    /// <param name="miniature">Path of the Miniature.</param>
    /// <param name="path">Where to write it.</param>
    public static string Write(string miniature, string path)
    {
        using SafetensorsFile source = SafetensorsFile.Open(miniature);
        SafetensorsTensor[] tensors = [.. source.Tensors.Values];
        var metadata = new Dictionary<string, string>(source.Metadata) { ["modelspec.title"] = "Narrow" };
        metadata.Remove("config");
        metadata.Remove("training");
        using SafetensorsWriter writer = SafetensorsWriter.Create(
            path, [.. tensors.Select(tensor => new SafetensorsDeclaration(tensor.Name, tensor.Type!.Value, Narrow(tensor)))], metadata);
        foreach (SafetensorsTensor tensor in tensors) writer.Write(Select(source.Span(tensor), [.. tensor.Shape], Narrow(tensor)));
        writer.Complete();
        return path;
    }

    // The text encoders keep their width: it is one head's.
    private static long[] Narrow(SafetensorsTensor tensor)
    {
        long[] shape = [.. tensor.Shape];
        if (tensor.Name.StartsWith("conditioner.", StringComparison.Ordinal)) return shape;
        if (shape.Length > 0 && shape[0] >= NarrowestLayer) shape[0] /= 2;
        // These read the encoded prompt, and the vector of prompt and sizes.
        bool readsThePrompt = tensor.Name.Contains(".attn2.to_k.", StringComparison.Ordinal)
            || tensor.Name.Contains(".attn2.to_v.", StringComparison.Ordinal)
            || tensor.Name.Contains(".label_emb.0.0.", StringComparison.Ordinal);
        if (shape.Length > 1 && shape[1] >= NarrowestLayer && !readsThePrompt) shape[1] /= 2;
        return shape;
    }

    // Keeps every other row, and of the rows every other column, where there is half of them. Each layer keeps the channels that the next
    // one reads, also where a skip connection appends channels.
    private static byte[] Select(ReadOnlySpan<byte> bytes, long[] from, long[] to)
    {
        if (from.AsSpan().SequenceEqual(to)) return bytes.ToArray();
        long rowStride = from[0] / to[0], columnStride = from.Length > 1 ? from[1] / to[1] : 1;
        long columns = from.Length > 1 ? from[1] : 1, newColumns = from.Length > 1 ? to[1] : 1;
        int kernel = bytes.Length / (int)(from[0] * columns);
        byte[] selected = new byte[to[0] * newColumns * kernel];
        for (long row = 0; row < to[0]; row++)
        {
            for (long column = 0; column < newColumns; column++)
            {
                long source = row * rowStride * columns + column * columnStride, target = row * newColumns + column;
                bytes.Slice((int)source * kernel, kernel).CopyTo(selected.AsSpan((int)target * kernel));
            }
        }

        return selected;
    }
}
