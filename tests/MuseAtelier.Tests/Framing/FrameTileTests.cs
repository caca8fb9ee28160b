using MuseAtelier.Framing;
using MuseAtelier.Tests.Support;
using NetVips;

namespace MuseAtelier.Tests.Framing;

public sealed class FrameTileTests
{
    [Theory]
    [InlineData(FrameStyle.Gilded, "gilded.png")]
    [InlineData(FrameStyle.Ebony, "ebony.png")]
    [InlineData(FrameStyle.Celadon, "celadon.png")]
    public void Draw_OfAStyle_IsThePictureBesideIt(FrameStyle style, string file)
    {
        using Image picture = Image.NewFromFile(Path.Combine(GoldenFiles.Root, "src", "MuseAtelier", "Framing", file));

        Assert.Equal((FrameTile.Side, FrameTile.Side, 3), (picture.Width, picture.Height, picture.Bands));
        Assert.Equal(picture.WriteToMemory<byte>(), FrameTile.Draw(style));
    }

    [Fact]
    public void Draw_OfNoStyle_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => FrameTile.Draw((FrameStyle)99));
}
