using System.Buffers.Binary;
using System.Text;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>Reads the name of an ICC profile, which distinguishes sRGB from other profiles.</summary>
internal static class IccProfile
{
    private const int HeaderBytes = 128;
    private const int EntryBytes = 12;
    private const int MostTags = 100;
    private const int LongestName = 100;

    /// <summary>A notice about a profile that is not applied; null without a profile, and for sRGB, which needs no conversion.</summary>
    /// <param name="profile">The profile's bytes; empty for none.</param>
    public static string? Notice(ReadOnlySpan<byte> profile)
    {
        if (profile.IsEmpty) return null;
        string? name = Name(profile);
        if (name?.Contains("sRGB", StringComparison.OrdinalIgnoreCase) ?? false) return null;
        string known = string.IsNullOrWhiteSpace(name) ? "without a name" : name;
        return $"its ICC profile ({known}) is not applied: colours are read as if they were sRGB";
    }

    private static string? Name(ReadOnlySpan<byte> profile)
    {
        if (profile.Length < HeaderBytes + 4) return null;
        uint tags = Math.Min(MostTags, BinaryPrimitives.ReadUInt32BigEndian(profile[HeaderBytes..]));
        for (int i = 0; i < tags; i++)
        {
            int entry = HeaderBytes + 4 + i * EntryBytes;
            if (entry > profile.Length - EntryBytes) return null;
            if (!profile.Slice(entry, 4).SequenceEqual("desc"u8)) continue;
            uint at = BinaryPrimitives.ReadUInt32BigEndian(profile[(entry + 4)..]);
            uint length = BinaryPrimitives.ReadUInt32BigEndian(profile[(entry + 8)..]);
            return length <= profile.Length && at <= profile.Length - length ? Describe(profile.Slice((int)at, (int)length)) : null;
        }

        return null;
    }

    private static string? Describe(ReadOnlySpan<byte> tag)
    {
        const int asciiAt = 12;
        const int firstRecord = 16;
        string? text = null;
        if (tag.StartsWith("desc"u8) && tag.Length > asciiAt)
        {
            text = Encoding.Latin1.GetString(tag[asciiAt..]);
        }
        else if (tag.StartsWith("mluc"u8) && tag.Length >= firstRecord + EntryBytes)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(tag[(firstRecord + 4)..]);
            uint at = BinaryPrimitives.ReadUInt32BigEndian(tag[(firstRecord + 8)..]);
            bool isInside = length <= tag.Length && at <= tag.Length - length;
            if (isInside) text = Encoding.BigEndianUnicode.GetString(tag.Slice((int)at, (int)length));
        }

        if (text is null) return null;
        int end = text.IndexOf('\0', StringComparison.Ordinal);
        if (end >= 0) text = text[..end];
        return new string([.. text.Take(LongestName).Where(letter => !char.IsControl(letter))]).Trim();
    }
}
