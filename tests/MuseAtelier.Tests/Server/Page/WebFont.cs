using System.Buffers.Binary;
using System.IO.Compression;

namespace MuseAtelier.Tests.Server.Page;

/// <summary>The characters of a WOFF2 font, read from its table "cmap". Other tables are not looked at.</summary>
internal static class WebFont
{
    private const uint Signature = 0x774F4632; // "wOF2"

    private const int HeaderLength = 48, IndexOfCmap = 0, IndexOfGlyf = 10, IndexOfLoca = 11, OwnTag = 63;

    /// <summary>The characters that the font has a glyph for.</summary>
    public static HashSet<int> Characters(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        Assert.Equal(Signature, BinaryPrimitives.ReadUInt32BigEndian(bytes));
        int tables = BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(12));
        int at = HeaderLength, start = 0, offset = -1;
        for (int index = 0; index < tables; index++)
        {
            (int tag, int length) = Entry(bytes, ref at);
            if (tag == IndexOfCmap) offset = start;
            start += length;
        }

        Assert.True(offset >= 0, $"{file} has no table cmap.");
        byte[] data = new byte[start];
        using BrotliStream stream = new(new MemoryStream(bytes, at, bytes.Length - at), CompressionMode.Decompress);
        stream.ReadExactly(data);
        return CharactersOf(data.AsSpan(offset));
    }

    // An entry of the directory: the tag as a number of the list of known tags, and the length in the compressed data.
    private static (int Tag, int Length) Entry(byte[] bytes, ref int at)
    {
        int flags = bytes[at++];
        int tag = flags & 0x3F;
        if (tag == OwnTag) at += 4;
        int length = Number(bytes, ref at);
        int version = flags >> 6;
        // The outlines are transformed unless their version is 3; other tables are unless it is 0.
        bool isTransformed = tag is IndexOfGlyf or IndexOfLoca ? version != 3 : version != 0;
        return (tag, isTransformed ? Number(bytes, ref at) : length);
    }

    // A number of up to five bytes with seven bits each, the highest first.
    private static int Number(byte[] bytes, ref int at)
    {
        int value = 0;
        for (int count = 0; count < 5; count++)
        {
            byte next = bytes[at++];
            value = (value << 7) | (next & 0x7F);
            if (next < 0x80) break;
        }

        return value;
    }

    private static HashSet<int> CharactersOf(ReadOnlySpan<byte> cmap)
    {
        HashSet<int> characters = [];
        int count = BinaryPrimitives.ReadUInt16BigEndian(cmap[2..]);
        for (int index = 0; index < count; index++)
        {
            ReadOnlySpan<byte> map = cmap[(int)BinaryPrimitives.ReadUInt32BigEndian(cmap[(8 + index * 8)..])..];
            int format = BinaryPrimitives.ReadUInt16BigEndian(map);
            if (format == 4) AddSegments(map, characters);
            if (format == 12) AddGroups(map, characters);
        }

        return characters;
    }

    private static void AddSegments(ReadOnlySpan<byte> map, HashSet<int> characters)
    {
        int doubled = BinaryPrimitives.ReadUInt16BigEndian(map[6..]);
        for (int at = 0; at < doubled; at += 2)
        {
            int last = BinaryPrimitives.ReadUInt16BigEndian(map[(14 + at)..]);
            int first = BinaryPrimitives.ReadUInt16BigEndian(map[(16 + doubled + at)..]);
            // The final segment holds only U+FFFF, which is no character.
            if (first != 0xFFFF) characters.UnionWith(Enumerable.Range(first, last - first + 1));
        }
    }

    private static void AddGroups(ReadOnlySpan<byte> map, HashSet<int> characters)
    {
        int groups = (int)BinaryPrimitives.ReadUInt32BigEndian(map[12..]);
        for (int index = 0; index < groups; index++)
        {
            int first = (int)BinaryPrimitives.ReadUInt32BigEndian(map[(16 + index * 12)..]);
            int last = (int)BinaryPrimitives.ReadUInt32BigEndian(map[(20 + index * 12)..]);
            characters.UnionWith(Enumerable.Range(first, last - first + 1));
        }
    }
}
