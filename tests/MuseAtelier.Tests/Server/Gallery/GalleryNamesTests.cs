using MuseAtelier.Pictures;
using MuseAtelier.Server.Gallery;

namespace MuseAtelier.Tests.Server.Gallery;

public sealed class GalleryNamesTests
{
    private const string Job = "0123456789abcdefghijklmnop";

    [Fact]
    public void NameOf_OfAJobsPicture_IsItsTimeItsJobAndItsNumber()
    {
        var accepted = new DateTimeOffset(2026, 11, 26, 23, 5, 9, TimeSpan.FromHours(8));
        string name = GalleryNames.NameOf(Job, accepted, 2, PictureFormat.Jpeg);
        Assert.Equal($"20261126-150509-{Job}-03.jpg", name);
        Assert.True(GalleryNames.IsSafe(name));
        Assert.Equal(Job, GalleryNames.JobOf(name));
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../a.png")]
    [InlineData("..\\a.png")]
    [InlineData("a/b.png")]
    [InlineData("/etc/passwd")]
    [InlineData("C:\\a.png")]
    [InlineData(".atelier")]
    [InlineData(".hidden.png")]
    [InlineData("a\0.png")]
    [InlineData("a b.png")]
    [InlineData("a.png\n")]
    [InlineData("a%2f.png")]
    [InlineData("CON.png")]
    [InlineData("lpt1")]
    [InlineData("a.png:stream")]
    [InlineData("a.png.")]
    [InlineData("夜.png")]
    [InlineData("")]
    public void IdOf_OfANameThatNoUrlCanHave_IsAnotherSafeName(string name)
    {
        Assert.False(GalleryNames.IsSafe(name));
        Assert.True(GalleryNames.IsSafe(GalleryNames.IdOf(name)));
        Assert.Null(GalleryNames.JobOf(name));
    }

    [Fact]
    public void IdOf_OfAVeryLongName_IsShortAndDiffersFromThatOfAnother()
    {
        string one = new string('a', 240) + "1.png", other = new string('a', 240) + "2.png";
        Assert.NotEqual(GalleryNames.IdOf(one), GalleryNames.IdOf(other));
        Assert.EndsWith(".png", GalleryNames.IdOf(one), StringComparison.Ordinal);
    }
}
