namespace MuseAtelier.Pictures.Containers;

/// <summary>Inserts chunks into PNG files.</summary>
internal static class PngFile
{
    // Signature, then the chunk IHDR: length, type, 13 bytes of data, CRC.
    private const int AfterHeader = 8 + 4 + 4 + 13 + 4;

    /// <summary>The first bytes of every PNG file.</summary>
    public static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Inserts chunks after the header, where every reader finds them before the pixels.</summary>
    public static byte[] Embed(byte[] png, IReadOnlyList<PngChunk> chunks)
    {
        using var stream = new MemoryStream(png.Length + chunks.Sum(chunk => chunk.Data.Length + 12));
        stream.Write(png, 0, AfterHeader);
        foreach (PngChunk chunk in chunks) chunk.WriteTo(stream);
        stream.Write(png, AfterHeader, png.Length - AfterHeader);
        return stream.ToArray();
    }
}
