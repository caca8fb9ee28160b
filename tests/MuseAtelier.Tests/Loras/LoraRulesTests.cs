namespace MuseAtelier.Tests.Loras;

public sealed class LoraRulesTests
{
    private static readonly PictureRequest Request = new() { Prompt = "a lighthouse" };
    private static readonly PictureLora Lora = new() { Path = "style.safetensors" };

    [Theory]
    [InlineData(0f, null)]
    [InlineData(-100f, 100f)]
    [InlineData(100f, -0.5f)]
    public void Check_OfStrengthsInRange_AcceptsThem(float strength, float? text) =>
        PictureRequestException.ThrowIfUnpaintable(With(Lora with { Strength = strength, TextStrength = text }));

    [Theory]
    [InlineData(float.NaN, null, "the strength")]
    [InlineData(float.PositiveInfinity, null, "the strength")]
    [InlineData(100.5f, null, "the strength")]
    [InlineData(1f, float.NaN, "the text strength")]
    [InlineData(1f, -101f, "the text strength")]
    public void Check_OfAStrengthOutOfRange_NamesTheLora(float strength, float? text, string part)
    {
        RequestLoraException exception = Refused(With(Lora with { Strength = strength, TextStrength = text }));
        Assert.Contains($"{part} of the LoRA style is", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_OfManyLoras_AcceptsAHundred()
    {
        PictureRequestException.ThrowIfUnpaintable(With([.. Enumerable.Repeat(Lora, 100)]));
        Assert.Contains("101 LoRAs", Refused(With([.. Enumerable.Repeat(Lora, 101)])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Check_OfAPathOrADigestThatIsNone_RefusesIt()
    {
        Assert.Contains("the LoRA 2", Refused(With(Lora, Lora with { Path = " " })).Message, StringComparison.Ordinal);
        Assert.Contains("digest", Refused(With(Lora with { Sha256 = new string('A', 64) })).Message, StringComparison.Ordinal);
        Refused(With(Lora with { Sha256 = "abc" }));
        PictureRequestException.ThrowIfUnpaintable(With(Lora with { Sha256 = new string('a', 64) }));
        Assert.Throws<ArgumentNullException>(() => PictureRequestException.ThrowIfUnpaintable(With(Lora, null!)));
        Assert.Throws<ArgumentNullException>(() => PictureRequestException.ThrowIfUnpaintable(Request with { Loras = null! }));
    }

    private static RequestLoraException Refused(PictureRequest request) =>
        Assert.Throws<RequestLoraException>(() => PictureRequestException.ThrowIfUnpaintable(request));

    private static PictureRequest With(params PictureLora[] loras) => Request with { Loras = loras };
}
