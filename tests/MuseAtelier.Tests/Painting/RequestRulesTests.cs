using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

public sealed class RequestRulesTests
{
    private static readonly PictureRequest Good = new() { Prompt = "" };

    [Theory]
    [InlineData(256, 4096)]
    [InlineData(1024, 1016)]
    public void Check_OfAnAllowedSize_Passes(int width, int height) => RequestRules.Check(Good with { Width = width, Height = height });

    [Theory]
    [InlineData(1020, 1024, "1024x1024")]
    [InlineData(1024, 4104, "1024x4096")]
    [InlineData(0, -8, "256x256")]
    [InlineData(int.MaxValue, int.MinValue, "4096x256")]
    public void Check_OfAnotherSize_NamesTheNearest(int width, int height, string nearest)
    {
        PictureSizeException exception = Assert.Throws<PictureSizeException>(() =>
            RequestRules.Check(Good with { Width = width, Height = height }));
        Assert.Equal((width, height), (exception.Width, exception.Height));
        Assert.Contains(nearest, exception.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1001)]
    [InlineData(10_001)]
    public void Check_OfStepsOutOfRange_Refuses(int steps) =>
        Assert.Equal(steps, Assert.Throws<StepCountException>(() => RequestRules.Check(Good with { Steps = steps })).Steps);

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(0.99f)]
    [InlineData(100.1f)]
    public void Check_OfGuidanceOutOfRange_Refuses(float scale) =>
        Assert.Equal(
            scale, Assert.Throws<GuidanceScaleException>(() => RequestRules.Check(Good with { GuidanceScale = scale })).GuidanceScale);

    [Theory]
    [InlineData(float.NaN, 4, null, 0, nameof(PictureSource.Strength))]
    [InlineData(-0.01f, 4, null, 0, nameof(PictureSource.Strength))]
    [InlineData(1.01f, 4, null, 0, nameof(PictureSource.Strength))]
    [InlineData(0.5f, -1, null, 0, nameof(InpaintMask.Blur))]
    [InlineData(0.5f, 65, null, 0, nameof(InpaintMask.Blur))]
    [InlineData(0.5f, 4, -1, 0, nameof(InpaintMask.OnlyMaskedPadding))]
    [InlineData(0.5f, 4, 1025, 0, nameof(InpaintMask.OnlyMaskedPadding))]
    [InlineData(0.5f, 4, null, -1, nameof(PictureMargins.Left))]
    [InlineData(0.5f, 4, null, 2049, nameof(PictureMargins.Left))]
    public void Check_OfASourceOutOfRange_NamesTheMember(float strength, int blur, int? padding, int left, string member)
    {
        PictureRequest request = Good with
        {
            Source = new PictureSource(Starry.Small)
            {
                Strength = strength,
                Extend = new PictureMargins(left, 0, 0, 0),
                Mask = new InpaintMask(Starry.Middle(64)) { Blur = blur, OnlyMaskedPadding = padding },
            },
        };
        Assert.Equal(member, Assert.Throws<RequestNumberException>(() => RequestRules.Check(request)).Name);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1f)]
    public void Check_OfASourceInRange_Passes(float strength)
    {
        var mask = new InpaintMask(Starry.Middle(64)) { Blur = 64, OnlyMaskedPadding = 1024, Content = MaskedContent.Nothing };
        RequestRules.Check(Good with { Source = new PictureSource(Starry.Small) { Strength = strength, Mask = mask } });
    }

    [Fact]
    public void Check_OfASourceWithoutPixels_NamesWhatIsMissing()
    {
        SourceImage known = SourceImage.Reference(8, 8, Starry.Small.Sha256);
        var source = Assert.Throws<SourceMissingException>(() => RequestRules.Check(Good with { Source = new PictureSource(known) }));
        Assert.Equal(("source", Starry.Small.Sha256), (source.Role, source.Sha256));
        var mask = new InpaintMask(MaskImage.Reference(8, 8, Starry.Small.Sha256));
        PictureRequest masked = Good with { Source = new PictureSource(Starry.Small) { Mask = mask } };
        Assert.Equal("mask", Assert.Throws<SourceMissingException>(() => RequestRules.Check(masked)).Role);
    }

    [Fact]
    public void Check_OfAMaskWithoutWhite_Refuses()
    {
        var mask = new InpaintMask(new MaskImage(8, 8, new byte[64]));
        PictureRequest request = Good with { Source = new PictureSource(Starry.Small) { Mask = mask } };
        Assert.Throws<MaskEmptyException>(() => RequestRules.Check(request));
    }

    [Fact]
    public void Check_OfEveryRefusal_SaysItInOneLine()
    {
        foreach (PictureRequest request in (PictureRequest[])[Good with { Width = 1 }, Good with { Steps = 0 },
            Good with { GuidanceScale = float.NaN }])
            Assert.DoesNotContain('\n', Assert.ThrowsAny<PictureRequestException>(() => RequestRules.Check(request)).Message);
    }
}
