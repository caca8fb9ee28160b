using System.Buffers;
using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures.Containers;

/// <summary>A chunk of a PNG file.</summary>
/// <param name="Type">The chunk's type, four letters.</param>
/// <param name="Data">The chunk's data.</param>
internal sealed record PngChunk(string Type, ReadOnlyMemory<byte> Data)
{
    /// <summary>
    /// Creates a text chunk: a tEXt chunk if the text is Latin-1, as readers of AUTOMATIC1111's text expect, else a UTF-8 chunk (iTXt).
    /// </summary>
    public static PngChunk Text(string keyword, string text)
    {
        // The format does not allow NUL.
        text = text.Replace('\0', '\uFFFD');
        if (text.Any(letter => letter > '\u00FF')) return InternationalText(keyword, text);
        byte[] latin1 = Encoding.Latin1.GetBytes(text);
        // Many readers, including this project's, read Latin-1 text as UTF-8 if it is valid UTF-8.
        return TextBytes.LooksLikeUtf8(latin1) ? InternationalText(keyword, text)
            : new PngChunk("tEXt", (byte[])[.. Encoding.Latin1.GetBytes(keyword), 0, .. latin1]);
    }

    /// <summary>Creates a UTF-8 text chunk (iTXt), uncompressed and without a language.</summary>
    public static PngChunk InternationalText(string keyword, string text) =>
        // After the keyword: not compressed, method 0, no language, no translated keyword.
        new("iTXt", Encoding.UTF8.GetBytes($"{keyword}\0\0\0\0\0{text}"));

    /// <summary>Writes the chunk: length, type, data, CRC of type and data.</summary>
    public void WriteTo(IBufferWriter<byte> file)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(word, Data.Length);
        file.Write(word);
        byte[] type = Encoding.ASCII.GetBytes(Type);
        file.Write(type);
        file.Write(Data.Span);
        var crc = new Crc32();
        crc.Append(type);
        crc.Append(Data.Span);
        BinaryPrimitives.WriteUInt32BigEndian(word, crc.GetCurrentHashAsUInt32());
        file.Write(word);
    }
}
