using System.Buffers.Binary;
using System.Text;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// The little of EXIF that pictures need: the program's name and a comment. Written big-endian, because the UTF-16 of a comment is read that
/// way by programs that never ask for the block's own order.
/// </summary>
internal static class ExifBlock
{
    private const ushort SoftwareTag = 0x0131, ExifTag = 0x8769, VersionTag = 0x9000, CommentTag = 0x9286, ColorSpaceTag = 0xA001;
    private const ushort AsciiType = 2, ShortType = 3, LongType = 4, UndefinedType = 7;
    private const int EntryBytes = 12;

    // Far more than a picture's own block has; the rest of a hostile one is left unread.
    private const int MostEntries = 512;

    private static ReadOnlySpan<byte> Marker => "Exif\0\0"u8;

    private static ReadOnlySpan<byte> UnicodeCode => "UNICODE\0"u8;

    private static ReadOnlySpan<byte> AsciiCode => "ASCII\0\0\0"u8;

    /// <summary>Makes a block, without the marker that some containers put before it.</summary>
    /// <param name="software">The program's name; ASCII.</param>
    /// <param name="comment">The comment.</param>
    public static byte[] Write(string software, string comment)
    {
        byte[] name = Encoding.ASCII.GetBytes(software + '\0'), text = [.. UnicodeCode, .. Encoding.BigEndianUnicode.GetBytes(comment)];
        // Header, the first directory (2 entries) and its name, the EXIF directory (3 entries) and its comment.
        int nameAt = 8 + 2 + 2 * EntryBytes + 4, directoryAt = nameAt + name.Length + name.Length % 2, textAt = directoryAt + 2 + 3 * EntryBytes + 4;
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
    public static string? ReadComment(ReadOnlySpan<byte> block)
    {
        if (block.StartsWith(Marker)) block = block[Marker.Length..];
        bool isBig = block.StartsWith("MM\0*"u8);
        if (!isBig && !block.StartsWith("II*\0"u8)) return null;
        if (Find(block, isBig, ReadLong(block, 4, isBig), ExifTag) is not var (_, directory)) return null;
        if (Find(block, isBig, directory, CommentTag) is not var (count, at) || count > block.Length || at > block.Length - count || count < UnicodeCode.Length) return null;
        ReadOnlySpan<byte> comment = block.Slice((int)at, (int)count), text = comment[UnicodeCode.Length..];
        if (comment.StartsWith(UnicodeCode)) return Utf16(text, isBig).TrimEnd('\0', ' ');
        // Some write ASCII's code before text that is UTF-8.
        return comment.StartsWith(AsciiCode) || !comment[..UnicodeCode.Length].ContainsAnyExcept((byte)0) ? Encoding.UTF8.GetString(text).TrimEnd('\0', ' ') : null;
    }

    private static void WriteEntry(Span<byte> entry, ushort tag, ushort type, int count, int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(entry, tag);
        BinaryPrimitives.WriteUInt16BigEndian(entry[2..], type);
        BinaryPrimitives.WriteInt32BigEndian(entry[4..], count);
        BinaryPrimitives.WriteInt32BigEndian(entry[8..], value);
    }

    private static (uint Count, uint Value)? Find(ReadOnlySpan<byte> block, bool isBig, uint directory, ushort tag)
    {
        if (directory > block.Length - 2) return null;
        int entries = Math.Min(MostEntries, (int)ReadShort(block, (int)directory, isBig));
        for (int i = 0; i < entries; i++)
        {
            long at = directory + 2L + i * EntryBytes;
            if (at > block.Length - EntryBytes) return null;
            if (ReadShort(block, (int)at, isBig) == tag) return (ReadLong(block, (int)at + 4, isBig), ReadLong(block, (int)at + 8, isBig));
        }

        return null;
    }

    private static ushort ReadShort(ReadOnlySpan<byte> block, int at, bool isBig) =>
        isBig ? BinaryPrimitives.ReadUInt16BigEndian(block[at..]) : BinaryPrimitives.ReadUInt16LittleEndian(block[at..]);

    private static uint ReadLong(ReadOnlySpan<byte> block, int at, bool isBig) =>
        block.Length < at + 4 ? uint.MaxValue : isBig ? BinaryPrimitives.ReadUInt32BigEndian(block[at..]) : BinaryPrimitives.ReadUInt32LittleEndian(block[at..]);

    // Programs differ on whether the comment follows the block's order; a line break or space, which every text has, tells.
    private static string Utf16(ReadOnlySpan<byte> text, bool isBig)
    {
        int big = 0, little = 0;
        for (int i = 0; i + 1 < text.Length; i += 2)
        {
            if (text[i] == 0 && text[i + 1] is (byte)' ' or (byte)'\n') big++;
            if (text[i + 1] == 0 && text[i] is (byte)' ' or (byte)'\n') little++;
        }

        return (big == little ? isBig : big > little) ? Encoding.BigEndianUnicode.GetString(text) : Encoding.Unicode.GetString(text);
    }
}
