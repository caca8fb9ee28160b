using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures.Containers;

/// <summary>A chunk of a PNG file.</summary>
/// <param name="Type">Its four letters.</param>
/// <param name="Data">Its content.</param>
internal sealed record PngChunk(string Type, ReadOnlyMemory<byte> Data)
{
    /// <summary>
    /// Text under a keyword: a plain chunk where Latin-1 holds it, as readers of AUTOMATIC1111's text expect, else the UTF-8 one.
    /// </summary>
    public static PngChunk Text(string keyword, string text)
    {
        // The format forbids NUL in either; no prompt means it.
        text = text.Replace('\0', '\uFFFD');
        if (text.Any(letter => letter > '\u00FF')) return InternationalText(keyword, text);
        byte[] latin1 = Encoding.Latin1.GetBytes(text);
        // Readers, this one among them, take for UTF-8 whatever could be that.
        return TextBytes.LooksLikeUtf8(latin1) ? InternationalText(keyword, text)
            : new PngChunk("tEXt", (byte[])[.. Encoding.Latin1.GetBytes(keyword), 0, .. latin1]);
    }

    /// <summary>UTF-8 text under a keyword, uncompressed, of no stated language.</summary>
    public static PngChunk InternationalText(string keyword, string text) =>
        // Behind the keyword: not compressed, method 0, no language, no translated keyword.
        new("iTXt", Encoding.UTF8.GetBytes($"{keyword}\0\0\0\0\0{text}"));

    /// <summary>Appends the chunk as it stands in a file: length, type, data, CRC of type and data.</summary>
    public void WriteTo(Stream stream)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(word, Data.Length);
        stream.Write(word);
        byte[] type = Encoding.ASCII.GetBytes(Type);
        stream.Write(type);
        stream.Write(Data.Span);
        var crc = new Crc32();
        crc.Append(type);
        crc.Append(Data.Span);
        BinaryPrimitives.WriteUInt32BigEndian(word, crc.GetCurrentHashAsUInt32());
        stream.Write(word);
    }
}
