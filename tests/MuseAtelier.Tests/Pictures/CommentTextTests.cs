using System.Text;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Tests.Pictures;

/// <summary>Comments of EXIF as programs write them, under the right name of their encoding, the wrong one, or none.</summary>
public sealed class CommentTextTests
{
    private const string Text = "a night, 夜空 🌌 café\nSteps: 3", Han = "星空下的城市";

    private static readonly byte[]
        Unicode = [.. "UNICODE\0"u8],
        Ascii = [.. "ASCII\0\0\0"u8],
        Undefined = new byte[8],
        None = [];

    public static TheoryData<string, byte[], string> Comments
    {
        get
        {
            var data = new TheoryData<string, byte[], string>();
            foreach (string text in (string[])[Text, Han])
            {
                foreach ((string name, byte[] code) in (ReadOnlySpan<(string, byte[])>)[("UNICODE", Unicode), ("ASCII", Ascii),
                    ("zeros", Undefined), ("none", None)])
                {
                    data.Add($"{name}, UTF-8: {text}", [.. code, .. Encoding.UTF8.GetBytes(text)], text);
                    data.Add($"{name}, UTF-8 with a mark: {text}", [.. code, .. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(text)],
                        text);
                    data.Add($"{name}, big with a mark: {text}",
                        [.. code, .. Encoding.BigEndianUnicode.Preamble, .. Encoding.BigEndianUnicode.GetBytes(text)], text);
                    data.Add($"{name}, little with a mark: {text}",
                        [.. code, .. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(text)], text);
                    // Without any mark, UTF-16 is known by the NULs beside ASCII letters; and by its name.
                    if (text == Han && code != Unicode) continue;
                    data.Add($"{name}, big: {text}", [.. code, .. Encoding.BigEndianUnicode.GetBytes(text)], text);
                    data.Add($"{name}, little: {text}", [.. code, .. Encoding.Unicode.GetBytes(text)], text);
                }
            }

            data.Add("ASCII, Latin-1", [.. Ascii, .. Encoding.Latin1.GetBytes("café\nSteps: 3")], "café\nSteps: 3");
            data.Add("ASCII, filled", [.. Ascii, .. "night  \0\0"u8], "night");
            data.Add("UNICODE, nothing", Unicode, "");
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Comments))]
    public void Comment_HoweverMarked_IsRead(string kind, byte[] comment, string text)
    {
        Assert.NotEmpty(kind);
        // Without any ASCII letter, the block's order or what letters there are decide; both orders of block give the text where the other
        // way is implausible.
        Assert.Equal(text, TextBytes.Comment(comment, isBig: false));
        Assert.Equal(text, TextBytes.Comment(comment, isBig: true));
    }

    [Fact]
    public void Comment_InJis_IsNull() => Assert.Null(TextBytes.Comment([.. "JIS\0\0\0\0\0"u8, 0x1B, (byte)'$', (byte)'B'], isBig: true));

    [Theory]
    [InlineData("夜 🌌")]
    [InlineData("Ã©")]
    [InlineData("plain")]
    [InlineData("café")]
    public void Utf8OrLatin1_OfWhatAPngChunkOfOursHolds_IsTheText(string text)
    {
        MuseAtelier.Pictures.Containers.PngChunk chunk = MuseAtelier.Pictures.Containers.PngChunk.Text("a", text);
        // "Ã©" in Latin-1 is what "é" is in UTF-8: it goes into the chunk that is UTF-8 by its name.
        string read = chunk.Type == "tEXt" ? TextBytes.Utf8OrLatin1(chunk.Data.Span[2..]) : Encoding.UTF8.GetString(chunk.Data.Span[6..]);
        Assert.Equal(text, read);
    }
}
