using System.Buffers.Binary;
using System.Text;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// The little of EXIF that pictures need: the program's name and a comment. Written big-endian, because the UTF-16 of a comment is read
/// that way by programs that never ask for the block's own order.
/// </summary>
internal static class ExifBlock
{
    private const ushort SoftwareTag = 0x0131, ExifTag = 0x8769, VersionTag = 0x9000, CommentTag = 0x9286, ColorSpaceTag = 0xA001;
    private const ushort AsciiType = 2, ShortType = 3, LongType = 4, UndefinedType = 7;
    private const int EntryBytes = 12;

    private static ReadOnlySpan<byte> UnicodeCode => "UNICODE\0"u8;

    /// <summary>Makes a block, without the marker that some containers put before it.</summary>
    /// <param name="software">The program's name; ASCII.</param>
    /// <param name="comment">The comment.</param>
    public static byte[] Write(string software, string comment)
    {
        byte[] name = Encoding.ASCII.GetBytes(software + '\0'), text = [.. UnicodeCode, .. Encoding.BigEndianUnicode.GetBytes(comment)];
        // Header, the first directory (2 entries) and its name, the EXIF directory (3 entries) and its comment.
        int nameAt = 8 + 2 + 2 * EntryBytes + 4, directoryAt = nameAt + name.Length + name.Length % 2,
            textAt = directoryAt + 2 + 3 * EntryBytes + 4;
        byte[] block = new byte[textAt + text.Length];
        "MM\0*"u8.CopyTo(block);
        BinaryPrimitives.WriteInt32BigEndian(block.AsSpan(4), 8);
        BinaryPrimitives.WriteInt16BigEndian(block.AsSpan(8), 2);
        WriteEntry(block.AsSpan(10), SoftwareTag, AsciiType, name.Length, nameAt);
        WriteEntry(block.AsSpan(10 + EntryBytes), ExifTag, LongType, 1, directoryAt);
        name.CopyTo(block, nameAt);
        Span<byte> directory = block.AsSpan(directoryAt);
        BinaryPrimitives.WriteInt16BigEndian(directory, 3);
        WriteEntry(directory[2..], VersionTag, UndefinedType, 4, BinaryPrimitives.ReadInt32BigEndian("0232"u8));
        WriteEntry(directory[(2 + EntryBytes)..], CommentTag, UndefinedType, text.Length, textAt);
        // A value shorter than four bytes stands in the first of them: 1 is sRGB.
        WriteEntry(directory[(2 + 2 * EntryBytes)..], ColorSpaceTag, ShortType, 1, 1 << 16);
        text.CopyTo(block, textAt);
        return block;
    }

    /// <summary>The comment of a block, with or without the marker before it; null where there is none that can be read.</summary>
    public static string? ReadComment(ReadOnlySpan<byte> block) => ExifReader.Read(block)?.Comment;

    private static void WriteEntry(Span<byte> entry, ushort tag, ushort type, int count, int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(entry, tag);
        BinaryPrimitives.WriteUInt16BigEndian(entry[2..], type);
        BinaryPrimitives.WriteInt32BigEndian(entry[4..], count);
        BinaryPrimitives.WriteInt32BigEndian(entry[8..], value);
    }
}
