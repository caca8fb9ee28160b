using System.Runtime.InteropServices;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Tests.Support;

/// <summary>Writes a checkpoint's tensors once more, in other types.</summary>
internal static class CheckpointVariant
{
    public static void Write(
        SafetensorsFile source, string path, IReadOnlyList<SafetensorsDeclaration> tensors, Action<string, float[]>? change = null)
    {
        using SafetensorsWriter writer = SafetensorsWriter.Create(path, tensors, source.Metadata);
        foreach (SafetensorsDeclaration tensor in tensors)
        {
            float[] values = source.ReadFloats(tensor.Name);
            change?.Invoke(tensor.Name, values);
            byte[] bytes = tensor.Type switch
            {
                ElementType.F32 => MemoryMarshal.AsBytes<float>(values).ToArray(),
                ElementType.F16 => MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)).ToArray(),
                ElementType.BF16 =>
                    MemoryMarshal.AsBytes<ushort>(Array.ConvertAll(values, value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16)))
                        .ToArray(),
                ElementType.I64 => MemoryMarshal.AsBytes<long>(Array.ConvertAll(values, value => (long)value)).ToArray(),
                _ => throw new ArgumentOutOfRangeException(nameof(tensors), tensor.Type, null),
            };
            writer.Write(bytes);
        }

        writer.Complete();
    }
}
