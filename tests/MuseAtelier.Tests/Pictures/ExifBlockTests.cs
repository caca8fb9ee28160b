using System.Buffers.Binary;
using System.Text;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Tests.Pictures;

public sealed class ExifBlockTests
{
    [Theory]
    [InlineData("")]
    [InlineData("a starry night\nSteps: 4")]
    [InlineData("夜 🌌")]
    public void CommentOf_OfWhatWasWritten_IsTheSame(string comment)
    {
        byte[] block = ExifBlock.Write("MuseAtelier 0.1.0", comment);
        Assert.Equal(comment, CommentOf(block));
        Assert.Equal(comment, CommentOf([.. "Exif\0\0"u8, .. block]));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void CommentOf_OfEitherOrderInEither_TellsThemApart(bool isBlockBig, bool isTextBig)
    {
        const string comment = "a night, 夜\nSteps: 3";
        byte[] text = [.. "UNICODE\0"u8, .. (isTextBig ? Encoding.BigEndianUnicode : Encoding.Unicode).GetBytes(comment)];
        Assert.Equal(comment, CommentOf(Block(isBlockBig, text)));
    }

    [Fact]
    public void CommentOf_OfAscii_ReadsIt() =>
        Assert.Equal("night", CommentOf(Block(false, [.. "ASCII\0\0\0"u8, .. "night\0\0"u8])));

    [Fact]
    public void CommentOf_OfHostileBlocks_IsNull()
    {
        byte[] sound = ExifBlock.Write("MuseAtelier 0.1.0", "night");
        for (int length = 0; length < sound.Length; length++) Assert.Null(CommentOf(sound.AsSpan(0, length)));

        // Every number of the block, made as large as it goes.
        for (int at = 4; at + 4 <= sound.Length; at++)
        {
            byte[] bent = [.. sound];
            BinaryPrimitives.WriteUInt32BigEndian(bent.AsSpan(at), uint.MaxValue);
            if (CommentOf(bent) is { } comment) Assert.InRange(comment.Length, 0, sound.Length);
        }

        // A directory that points at itself.
        byte[] circle = [.. sound];
        BinaryPrimitives.WriteInt32BigEndian(circle.AsSpan(10 + 12 + 8), 8);
        Assert.Null(CommentOf(circle));
    }

    private static byte[] Block(bool isBig, byte[] comment)
    {
        byte[] block = new byte[44 + comment.Length];
        (isBig ? "MM\0*"u8 : "II*\0"u8).CopyTo(block);
        Long(4, 8);
        Short(8, 1);
        Entry(10, 0x8769, 4, 1, 26);
        Short(26, 1);
        Entry(28, 0x9286, 7, comment.Length, 44);
        comment.CopyTo(block, 44);
        return block;

        void Entry(int at, int tag, int type, int count, int value)
        {
            Short(at, tag);
            Short(at + 2, type);
            Long(at + 4, count);
            Long(at + 8, value);
        }

        void Short(int at, int value)
        {
            if (isBig) BinaryPrimitives.WriteInt16BigEndian(block.AsSpan(at), unchecked((short)value));
            else BinaryPrimitives.WriteInt16LittleEndian(block.AsSpan(at), unchecked((short)value));
        }

        void Long(int at, int value)
        {
            if (isBig) BinaryPrimitives.WriteInt32BigEndian(block.AsSpan(at), value);
            else BinaryPrimitives.WriteInt32LittleEndian(block.AsSpan(at), value);
        }
    }

    private static string? CommentOf(ReadOnlySpan<byte> block) => ExifReader.Read(block)?.Comment;
}
