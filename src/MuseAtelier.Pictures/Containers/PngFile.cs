using System.Buffers;

namespace MuseAtelier.Pictures.Containers;

/// <summary>Inserts chunks into PNG files.</summary>
internal static class PngFile
{
    // Signature, then the chunk IHDR: length, type, 13 bytes of data, CRC.
    private const int AfterHeader = 8 + 4 + 4 + 13 + 4;

    /// <summary>The first bytes of every PNG file.</summary>
    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Writes a file with further chunks after the header, where every reader finds them before the pixels.</summary>
    /// <param name="png">The file's bytes, without these chunks.</param>
    /// <param name="chunks">The chunks.</param>
    /// <param name="file">Receives the file.</param>
    public static void Embed(ReadOnlySpan<byte> png, IReadOnlyList<PngChunk> chunks, IBufferWriter<byte> file)
    {
        file.Write(png[..AfterHeader]);
        foreach (PngChunk chunk in chunks) chunk.WriteTo(file);
        file.Write(png[AfterHeader..]);
    }
}
