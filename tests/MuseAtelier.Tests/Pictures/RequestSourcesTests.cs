using MuseAtelier.Format;
using MuseAtelier.Pictures;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Pictures;

public sealed class RequestSourcesTests
{
    private static readonly SourceImage Image = new(2, 1, new byte[6], new byte[] { 0, 255 }) { Name = "photo.png" };
    private static readonly SourceImage Other = new(2, 1, new byte[] { 1, 0, 0, 0, 0, 0 }) { Name = "other.png" };
    private static readonly MaskImage Mask = new(2, 1, new byte[] { 255, 0 }) { Name = "mask.png" };

    private static readonly PictureRequest Recorded = RecordedOf(new PictureRequest
    {
        Prompt = "",
        Steps = 1,
        Source = new PictureSource(Image) { Strength = 0.3f, Mask = new InpaintMask(Mask) { Blur = 2 } },
    });

    [Fact]
    public void ApplyTo_WithTheImages_PutsTheirPixelsIn()
    {
        PictureRequest request = new RequestSources { Source = Image, Mask = Mask }.ApplyTo(Recorded);
        Assert.Equal(Recorded, request);
        Assert.True(request.Source!.Image.HasPixels && request.Source.Mask!.Image.HasPixels);
        Assert.Equal((0.3f, 2), (request.Source.Strength, request.Source.Mask!.Blur));
    }

    [Fact]
    public void ApplyTo_WithoutAMask_TakesTheTransparentParts()
    {
        PictureRequest request = new RequestSources { Source = Image }.ApplyTo(Recorded);
        Assert.Equal([255, 0], request.Source!.Mask!.Image.Pixels.ToArray());
    }

    [Fact]
    public void ApplyTo_WithAnotherSource_NamesBoth()
    {
        var exception = Assert.Throws<SourceMismatchException>(() => new RequestSources { Source = Other, Mask = Mask }.ApplyTo(Recorded));
        Assert.Equal(("source", Image.Sha256, Other.Sha256), (exception.Role, exception.ExpectedSha256, exception.FoundSha256));
        Assert.Contains("other.png", exception.Message, StringComparison.Ordinal);
        Assert.Contains("photo.png of 2x1 px", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ApplyTo_WithAnotherMask_SaysSo()
    {
        var black = new MaskImage(2, 1, new byte[2]);
        var exception = Assert.Throws<SourceMismatchException>(() => new RequestSources { Source = Image, Mask = black }.ApplyTo(Recorded));
        Assert.Equal("mask", exception.Role);
    }

    [Fact]
    public void ApplyTo_WithoutTheImages_SaysWhichAreMissing()
    {
        Assert.Equal("source", Assert.Throws<SourceMissingException>(() => new RequestSources().ApplyTo(Recorded)).Role);
        var opaque = new SourceImage(2, 1, new byte[6]);
        PictureRequest request = RecordedOf(Recorded with { Source = Recorded.Source! with { Image = opaque } });
        var exception = Assert.Throws<SourceMissingException>(() => new RequestSources { Source = opaque }.ApplyTo(request));
        Assert.Equal(("mask", "mask.png"), (exception.Role, exception.Name));
    }

    [Fact]
    public void ApplyTo_OfAnUpscalersModel_ComparesItsDigest()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("4x.pth", [1, 2, 3]);
        string other = folder.Write("other.pth", [1, 2, 4]);
        PictureRequest request = RecordedOf(Recorded with
        {
            Source = null,
            Hires = new HiresPass { Upscaler = HiresUpscaler.Model(path) with { Sha256 = Sha256.Hash([1, 2, 3]) } },
        });
        Assert.Equal(path, new RequestSources { UpscalerPath = path }.ApplyTo(request).Hires!.Upscaler.Path);
        Assert.Equal(
            "upscaler", Assert.Throws<SourceMismatchException>(() => new RequestSources { UpscalerPath = other }.ApplyTo(request)).Role);
        Assert.Equal("4x.pth", Assert.Throws<UpscalerMissingException>(() => new RequestSources().ApplyTo(request)).Name);
        Assert.Throws<UpscalerMissingException>(() => new RequestSources { UpscalerPath = folder["none.pth"] }.ApplyTo(request));
    }

    private static PictureRequest RecordedOf(PictureRequest request) =>
        PictureRecord.Parse("a.png", SamplePicture.RecordOf(request).ToJson()).Request;
}
