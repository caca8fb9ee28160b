using System.Buffers.Binary;
using System.Text;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// Writes EXIF blocks with the program's name and a comment. They are big-endian, because some programs read the UTF-16 of a comment as
/// big-endian regardless of the block's byte order.
/// </summary>
internal static class ExifBlock
{
    private const ushort SoftwareTag = 0x0131;
    private const ushort ExifTag = 0x8769;
    private const ushort VersionTag = 0x9000;
    private const ushort CommentTag = 0x9286;
    private const ushort ColorSpaceTag = 0xA001;
    private const ushort AsciiType = 2;
    private const ushort ShortType = 3;
    private const ushort LongType = 4;
    private const ushort UndefinedType = 7;
    private const int EntryBytes = 12;

    private static ReadOnlySpan<byte> UnicodeCode => "UNICODE\0"u8;

    /// <summary>Creates a block, without the marker that some containers put before it.</summary>
    /// <param name="software">The program's name; ASCII.</param>
    /// <param name="comment">The comment.</param>
    public static byte[] Write(string software, string comment)
    {
        byte[] name = Encoding.ASCII.GetBytes(software + '\0');
        byte[] text = [.. UnicodeCode, .. Encoding.BigEndianUnicode.GetBytes(comment)];
        // Layout: header, first directory (2 entries), program name, EXIF directory (3 entries), comment.
        int nameAt = 8 + 2 + 2 * EntryBytes + 4;
        int directoryAt = nameAt + name.Length + name.Length % 2;
        int textAt = directoryAt + 2 + 3 * EntryBytes + 4;
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
        // A value of two bytes is in the upper half of the field; 1 means sRGB.
        WriteEntry(directory[(2 + 2 * EntryBytes)..], ColorSpaceTag, ShortType, 1, 1 << 16);
        text.CopyTo(block, textAt);
        return block;
    }

    private static void WriteEntry(Span<byte> entry, ushort tag, ushort type, int count, int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(entry, tag);
        BinaryPrimitives.WriteUInt16BigEndian(entry[2..], type);
        BinaryPrimitives.WriteInt32BigEndian(entry[4..], count);
        BinaryPrimitives.WriteInt32BigEndian(entry[8..], value);
    }
}
