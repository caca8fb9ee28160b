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

    [Fact]
    public void Check_OfEveryRefusal_SaysItInOneLine()
    {
        foreach (PictureRequest request in (PictureRequest[])[Good with { Width = 1 }, Good with { Steps = 0 },
            Good with { GuidanceScale = float.NaN }])
            Assert.DoesNotContain('\n', Assert.ThrowsAny<PictureRequestException>(() => RequestRules.Check(request)).Message);
    }
}
