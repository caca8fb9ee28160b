using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Tests.Support;

/// <summary>
/// A checkpoint whose decoder computes what another one's does, over a residual stream that fp16 cannot hold. All that writes to the stream
/// is multiplied by one power of two: the norms that read it divide by it again, and only their epsilon weighs less.
/// </summary>
internal static class OverflowingCheckpoint
{
    private const string Decoder = "first_stage_model.decoder.";

    /// <summary>The stream is multiplied by 2 to this power.</summary>
    private const int Power = 18;

    /// <summary>Writes the checkpoint.</summary>
    /// <param name="source">Path of the checkpoint to start from.</param>
    /// <param name="path">Path of the one to write.</param>
    public static void Write(string source, string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(source);
        SafetensorsDeclaration[] tensors =
            [.. file.Tensors.Values.Select(tensor =>
                new SafetensorsDeclaration(tensor.Name, WritesToStream(tensor.Name) ? ElementType.F32 : tensor.Type!.Value, tensor.Shape))];
        using SafetensorsWriter writer = SafetensorsWriter.Create(path, tensors, file.Metadata);
        foreach (SafetensorsDeclaration tensor in tensors)
        {
            if (!WritesToStream(tensor.Name))
            {
                writer.Write(file.Span(file.Tensors[tensor.Name]));
                continue;
            }

            float[] values = file.ReadFloats(tensor.Name);
            TensorPrimitives.Multiply(values, 1 << Power, values);
            writer.Write(MemoryMarshal.AsBytes<float>(values));
        }

        writer.Complete();
    }

    // A shortcut and a resampling convolution read the stream too: their weights leave its scale as it is.
    private static bool WritesToStream(string name) =>
        name.StartsWith(Decoder, StringComparison.Ordinal)
        && (name.StartsWith($"{Decoder}conv_in.", StringComparison.Ordinal)
            || name.Contains(".conv2.", StringComparison.Ordinal)
            || name.Contains(".attn_1.proj_out.", StringComparison.Ordinal)
            || name.EndsWith(".nin_shortcut.bias", StringComparison.Ordinal)
            || name.EndsWith(".upsample.conv.bias", StringComparison.Ordinal));
}
