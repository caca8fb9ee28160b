using System.Buffers.Binary;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>The values that are read from an EXIF block.</summary>
/// <param name="Comment">The user comment; null if there is no readable comment.</param>
/// <param name="Orientation">The orientation, 1 to 8; 1 if the block states none.</param>
/// <param name="Texts">The other texts by the names of EXIF's fields.</param>
internal sealed record ExifFacts(string? Comment, int Orientation, IReadOnlyDictionary<string, string> Texts);

/// <summary>Reads EXIF blocks of either byte order. Blocks are untrusted: every offset and length is checked before it is used.</summary>
internal static class ExifReader
{
    private const ushort OrientationTag = 0x0112;
    private const ushort ExifTag = 0x8769;
    private const ushort CommentTag = 0x9286;
    private const ushort AsciiType = 2;
    private const ushort ShortType = 3;
    private const int EntryBytes = 12;
    private const int ShortestValue = 4;

    // Far more than a real block has. Further entries are not read.
    private const int MostEntries = 512;

    // Fields in which programs store their texts.
    private static readonly (ushort Tag, string Name)[] TextFields =
        [(0x010E, "ImageDescription"), (0x010F, "Make"), (0x0110, "Model"), (0x0131, "Software")];

    private static ReadOnlySpan<byte> Marker => "Exif\0\0"u8;

    /// <summary>Reads a block with or without the marker that some containers put before it; null if it is not a block.</summary>
    public static ExifFacts? Read(ReadOnlySpan<byte> block)
    {
        if (block.StartsWith(Marker)) block = block[Marker.Length..];
        bool isBig = block.StartsWith("MM\0*"u8);
        if (!isBig && !block.StartsWith("II*\0"u8)) return null;
        uint first = ReadLong(block, 4, isBig);
        int orientation = 1;
        if (Find(block, isBig, first, OrientationTag) is { Type: ShortType } turn
            && ReadShort(block, turn.At + 8, isBig) is >= 1 and <= 8 and var number)
            orientation = number;
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((ushort tag, string name) in TextFields)
        {
            if (Find(block, isBig, first, tag) is { Type: AsciiType } field && TryValue(block, field, isBig, out ReadOnlySpan<byte> value))
                texts[name] = TextBytes.Plain(value, isBig).TrimEnd('\0', ' ');
        }

        string? comment = null;
        if (Find(block, isBig, first, ExifTag) is { } pointer
            && Find(block, isBig, ReadLong(block, pointer.At + 8, isBig), CommentTag) is { } entry
            && TryValue(block, entry, isBig, out ReadOnlySpan<byte> text))
            comment = TextBytes.Comment(text, isBig);
        return new ExifFacts(comment, orientation, texts);
    }

    private static bool TryValue(ReadOnlySpan<byte> block, Entry entry, bool isBig, out ReadOnlySpan<byte> value)
    {
        uint count = ReadLong(block, entry.At + 4, isBig);
        // A value of up to four bytes is in the entry itself.
        uint at = count <= ShortestValue ? (uint)entry.At + 8 : ReadLong(block, entry.At + 8, isBig);
        bool isInside = count <= block.Length && at <= block.Length - count;
        value = isInside ? block.Slice((int)at, (int)count) : [];
        return isInside;
    }

    private static Entry? Find(ReadOnlySpan<byte> block, bool isBig, uint directory, ushort tag)
    {
        if (directory > block.Length - 2) return null;
        int entries = Math.Min(MostEntries, (int)ReadShort(block, (int)directory, isBig));
        for (int i = 0; i < entries; i++)
        {
            long at = directory + 2L + i * EntryBytes;
            if (at > block.Length - EntryBytes) return null;
            if (ReadShort(block, (int)at, isBig) == tag) return new Entry((int)at, ReadShort(block, (int)at + 2, isBig));
        }

        return null;
    }

    private static ushort ReadShort(ReadOnlySpan<byte> block, int at, bool isBig) =>
        isBig ? BinaryPrimitives.ReadUInt16BigEndian(block[at..]) : BinaryPrimitives.ReadUInt16LittleEndian(block[at..]);

    private static uint ReadLong(ReadOnlySpan<byte> block, int at, bool isBig)
    {
        if (block.Length < at + 4) return uint.MaxValue;
        return isBig ? BinaryPrimitives.ReadUInt32BigEndian(block[at..]) : BinaryPrimitives.ReadUInt32LittleEndian(block[at..]);
    }

    // The offset of a directory's entry in the block, and the type of its value.
    private readonly record struct Entry(int At, ushort Type);
}
