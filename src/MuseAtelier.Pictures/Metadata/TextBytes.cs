using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>Decodes texts of files. Their encoding is uncertain, because the encoding that a file states is often wrong.</summary>
internal static class TextBytes
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // Categories that do not occur in prompts.
    private static readonly UnicodeCategory[] Unlikely =
        [UnicodeCategory.Surrogate, UnicodeCategory.PrivateUse, UnicodeCategory.OtherNotAssigned, UnicodeCategory.Control];

    private static ReadOnlySpan<byte> Utf8Mark => [0xEF, 0xBB, 0xBF];

    private static ReadOnlySpan<byte> BigMark => [0xFE, 0xFF];

    private static ReadOnlySpan<byte> LittleMark => [0xFF, 0xFE];

    private static ReadOnlySpan<byte> UnicodeCode => "UNICODE\0"u8;

    private static ReadOnlySpan<byte> AsciiCode => "ASCII\0\0\0"u8;

    private static ReadOnlySpan<byte> JisCode => "JIS\0\0\0\0\0"u8;

    /// <summary>Decodes UTF-8 if the bytes are valid UTF-8, else Latin-1: some programs write UTF-8 where PNG requires Latin-1.</summary>
    public static string Utf8OrLatin1(ReadOnlySpan<byte> bytes) => TryUtf8(bytes) ?? Encoding.Latin1.GetString(bytes);

    /// <summary>Whether bytes are valid UTF-8 with more than ASCII.</summary>
    public static bool LooksLikeUtf8(ReadOnlySpan<byte> bytes) =>
        bytes.ContainsAnyExceptInRange((byte)0, (byte)0x7F) && TryUtf8(bytes) is not null;

    /// <summary>Decodes EXIF's user comment: eight bytes that name the encoding, and the text. Some programs omit the name.</summary>
    /// <param name="comment">The field's bytes.</param>
    /// <param name="isBig">Whether the numbers of the block are big-endian.</param>
    /// <returns>The text without padding; null for an unsupported encoding.</returns>
    public static string? Comment(ReadOnlySpan<byte> comment, bool isBig)
    {
        int code = UnicodeCode.Length;
        if (comment.Length >= code && Ascii.EqualsIgnoreCase(comment[..code], UnicodeCode)) return Trim(Unicode(comment[code..], isBig));
        if (comment.StartsWith(JisCode)) return null;
        bool hasCode = comment.StartsWith(AsciiCode) || comment.Length >= code && !comment[..code].ContainsAnyExcept((byte)0);
        return Trim(Plain(hasCode ? comment[code..] : comment, isBig));
    }

    /// <summary>Decodes a text without a stated encoding, or with ASCII as its encoding.</summary>
    public static string Plain(ReadOnlySpan<byte> text, bool isBig)
    {
        if (Marked(text) is { } marked) return marked;
        // A NUL before the padding is half of a UTF-16 code unit.
        bool isUtf16 = text.TrimEnd((byte)0).Contains((byte)0);
        return isUtf16 ? Utf16(text, isBig) : Utf8OrLatin1(text);
    }

    private static string Unicode(ReadOnlySpan<byte> text, bool isBig)
    {
        if (Marked(text) is { } marked) return marked;
        // Some programs write UTF-8 here. UTF-16 text with a space or a line break has NULs, or bytes that are not valid UTF-8.
        ReadOnlySpan<byte> filled = text.TrimEnd((byte)0);
        bool mayBeUtf8 = filled.Length > 2 && !HasControls(filled);
        return mayBeUtf8 && TryUtf8(filled) is { } utf8 ? utf8 : Utf16(text, isBig);
    }

    private static string? Marked(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith(Utf8Mark)) return Encoding.UTF8.GetString(text[Utf8Mark.Length..]);
        if (text.StartsWith(BigMark)) return Encoding.BigEndianUnicode.GetString(text[BigMark.Length..]);
        return text.StartsWith(LittleMark) ? Encoding.Unicode.GetString(text[LittleMark.Length..]) : null;
    }

    // Programs differ in whether a comment has the block's byte order. ASCII letters decide it; without any, the order with fewer unlikely
    // letters is chosen.
    private static string Utf16(ReadOnlySpan<byte> text, bool isBig)
    {
        int big = 0;
        int little = 0;
        for (int i = 0; i + 1 < text.Length; i += 2)
        {
            if (text[i] == 0 && IsPrintable(text[i + 1])) big++;
            if (text[i + 1] == 0 && IsPrintable(text[i])) little++;
        }

        if (big == little)
        {
            big = Implausible(text, isBig: false);
            little = Implausible(text, isBig: true);
        }

        return (big == little ? isBig : big > little) ? Encoding.BigEndianUnicode.GetString(text) : Encoding.Unicode.GetString(text);
    }

    private static bool IsPrintable(byte letter) => letter is >= 0x20 and < 0x7F or (byte)'\n' or (byte)'\r' or (byte)'\t';

    private static int Implausible(ReadOnlySpan<byte> text, bool isBig)
    {
        int count = 0;
        for (int i = 0; i + 1 < text.Length; i += 2)
        {
            char letter = Letter(text, i, isBig);
            bool isPair = char.IsHighSurrogate(letter) && i + 3 < text.Length && char.IsLowSurrogate(Letter(text, i + 2, isBig));
            if (isPair)
            {
                i += 2;
                continue;
            }

            bool isPadding = letter == 0;
            if (!isPadding && Unlikely.Contains(char.GetUnicodeCategory(letter))) count++;
        }

        return count;
    }

    private static char Letter(ReadOnlySpan<byte> text, int at, bool isBig) =>
        (char)(isBig ? BinaryPrimitives.ReadUInt16BigEndian(text[at..]) : BinaryPrimitives.ReadUInt16LittleEndian(text[at..]));

    private static bool HasControls(ReadOnlySpan<byte> text)
    {
        foreach (byte letter in text)
            if (letter < 0x20 && !IsPrintable(letter)) return true;
        return false;
    }

    private static string? TryUtf8(ReadOnlySpan<byte> bytes)
    {
        if (!System.Text.Unicode.Utf8.IsValid(bytes)) return null;
        return StrictUtf8.GetString(bytes.StartsWith(Utf8Mark) ? bytes[Utf8Mark.Length..] : bytes);
    }

    private static string Trim(string text) => text.TrimEnd('\0', ' ');
}
