using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.AI;
using MuseAtelier.Extensions.AI;

namespace MuseAtelier.Tests.ExtensionsAi;

/// <summary>What the keys of additional properties mean, and which of their values are refused.</summary>
public sealed class ImagePropertyTests
{
    private static readonly PictureRequest Plain = new() { Prompt = "a" };

    // A value that each key takes, as a number or a text, and the request that it gives.
    private static readonly Dictionary<string, (object Value, PictureRequest Request)> Cases = new()
    {
        [MuseImageKeys.Seed] = (ulong.MaxValue, Plain with { Seed = ulong.MaxValue }),
        [MuseImageKeys.Steps] = (12, Plain with { Steps = 12 }),
        [MuseImageKeys.NegativePrompt] = ("blurry", Plain with { NegativePrompt = "blurry" }),
        [MuseImageKeys.GuidanceScale] = (5.5, Plain with { GuidanceScale = 5.5f }),
        [MuseImageKeys.GuidanceRescale] = (0.7, Plain with { GuidanceRescale = 0.7f }),
        [MuseImageKeys.Sampler] = ("DPM++ 2M", Plain with { Sampler = SamplerName.Dpmpp2M }),
        [MuseImageKeys.Scheduler] = ("SGM Uniform", Plain with { Schedule = new() { Spacing = TimestepSpacing.SgmUniform } }),
        [MuseImageKeys.Eta] = (0.5m, Plain with { Eta = 0.5f }),
        [MuseImageKeys.Dialect] = ("A1111", Plain with { Dialect = SamplingDialect.A1111 }),
        [MuseImageKeys.PromptSyntax] = ("comfy", Plain with { PromptSyntax = PromptSyntax.Comfy }),
        [MuseImageKeys.ClipSkip] = ((byte)1, Plain with { ClipSkip = 1 }),
        [MuseImageKeys.NoiseSource] = ("comfy-gpu", Plain with { NoiseSource = NoiseSource.ComfyGpu }),
        [MuseImageKeys.VariationSeed] = (3L, Plain with { VariationSeed = 3 }),
        [MuseImageKeys.VariationStrength] = (0.25f, Plain with { VariationStrength = 0.25f }),
        [MuseImageKeys.Preset] = ("lightning-4", FewStepPreset.Find("lightning-4")!.ApplyTo(Plain)),
        [MuseImageKeys.BatchSize] = (1, Plain),
        [MuseImageKeys.Quality] = (90, Plain),
    };

    public static TheoryData<string> Keys => [.. Cases.Keys];

    // Keys of calls with an original image have tests with the edits.
    private static readonly string[] EditKeys =
        [MuseImageKeys.Strength, MuseImageKeys.Fit, MuseImageKeys.Mask, MuseImageKeys.MaskBlur];

    [Fact]
    public void Cases_HaveEveryKeyThatIsRead()
    {
        IEnumerable<string> all = typeof(MuseImageKeys).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Select(field => (string)field.GetValue(null)!);
        Assert.Equal(all.Where(key => key != MuseImageKeys.Notices).Order(), Cases.Keys.Concat(EditKeys).Order());
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task GenerateAsync_WithAKey_ReadsNumbersTextsAndJsonAlike(string key)
    {
        (object value, PictureRequest expected) = Cases[key];
        string text = Convert.ToString(value, CultureInfo.InvariantCulture)!;
        object[] spellings =
        [
            value,
            text,
            JsonSerializer.SerializeToElement(value),
            JsonSerializer.SerializeToElement(text),
        ];
        foreach (object spelling in spellings)
        {
            PictureRequest request = await RequestOf(new() { [key] = spelling });
            PictureRequest seeded = key == MuseImageKeys.Seed ? request : request with { Seed = 0 };
            Assert.Equal(expected, seeded);
        }
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task GenerateAsync_WithAValueOfAnotherKind_IsRefusedWithTheKey(string key)
    {
        object[] wrong = [true, new object(), JsonElement.Parse("[1]"), JsonSerializer.SerializeToElement(false)];
        foreach (object value in wrong) await AssertRefused(key, value);
        if (key != MuseImageKeys.NegativePrompt) await AssertRefused(key, "?!");
    }

    [Theory]
    [InlineData(MuseImageKeys.Seed, "18446744073709551616")]
    [InlineData(MuseImageKeys.Seed, -2)]
    [InlineData(MuseImageKeys.VariationSeed, -1)]
    [InlineData(MuseImageKeys.Seed, 1.5)]
    [InlineData(MuseImageKeys.Steps, "3000000000")]
    [InlineData(MuseImageKeys.Steps, double.NaN)]
    [InlineData(MuseImageKeys.GuidanceScale, float.PositiveInfinity)]
    [InlineData(MuseImageKeys.NegativePrompt, 5)]
    [InlineData(MuseImageKeys.Quality, 0)]
    [InlineData(MuseImageKeys.Quality, 101)]
    [InlineData(MuseImageKeys.BatchSize, 9)]
    [InlineData(MuseImageKeys.Dialect, "0")]
    [InlineData(MuseImageKeys.Scheduler, "nothing")]
    [InlineData(MuseImageKeys.Preset, "nothing")]
    public async Task GenerateAsync_WithAValueOutOfRange_IsRefusedWithTheKey(string key, object value) => await AssertRefused(key, value);

    [Fact]
    public async Task GenerateAsync_WithNumbersThatAreWholeInAnotherForm_ReadsThem()
    {
        foreach (object value in new object[] { 30.0, 30f, 30m, "30.0", " 3e1 ", JsonDocument.Parse("30.0").RootElement })
            Assert.Equal(30, (await RequestOf(new() { [MuseImageKeys.Steps] = value })).Steps);
    }

    [Fact]
    public async Task GenerateAsync_WithTypedValues_ReadsThem()
    {
        PictureRequest request = await RequestOf(new()
        {
            [MuseImageKeys.Sampler] = SamplerName.Heun,
            [MuseImageKeys.NoiseSource] = NoiseSource.Comfy,
            [MuseImageKeys.PromptSyntax] = PromptSyntax.Plain,
        });
        Assert.Equal(SamplerName.Heun, request.Sampler);
        Assert.Equal(NoiseSource.Comfy, request.NoiseSource);
        Assert.Equal(PromptSyntax.Plain, request.PromptSyntax);
    }

    [Fact]
    public async Task GenerateAsync_WithAPresetAndOtherKeys_LetsTheOtherKeysWin()
    {
        PictureRequest request = await RequestOf(new() { [MuseImageKeys.Steps] = 6, [MuseImageKeys.Preset] = "lightning-4" });
        Assert.Equal((6, SamplerName.Euler, 0f), (request.Steps, request.Sampler, request.GuidanceScale));
    }

    [Fact]
    public async Task GenerateAsync_WithNullsAndUnknownKeys_IgnoresThem()
    {
        PictureRequest request = await RequestOf(new()
        {
            [MuseImageKeys.Steps] = null,
            [MuseImageKeys.Sampler] = JsonDocument.Parse("null").RootElement,
            ["style"] = "vivid",
        });
        Assert.Equal(Plain, request with { Seed = 0 });
    }

    [Fact]
    public async Task GenerateAsync_WithASamplerOfTheCaller_LeavesItToTheAtelier() =>
        Assert.Equal(new SamplerName("ralston"), (await RequestOf(new() { [MuseImageKeys.Sampler] = "ralston" })).Sampler);

    private static async Task AssertRefused(string key, object value)
    {
        ImageOptionException exception =
            await Assert.ThrowsAsync<ImageOptionException>(() => RequestOf(new() { [key] = value }));
        Assert.Equal(key, exception.Name);
        Assert.StartsWith($"{key} is ", exception.Found, StringComparison.Ordinal);
    }

    private static async Task<PictureRequest> RequestOf(AdditionalPropertiesDictionary properties)
    {
        using var atelier = new RecordingAtelier();
        using IImageGenerator generator = atelier.AsImageGenerator();
        var options = new ImageGenerationOptions { AdditionalProperties = properties };
        await generator.GenerateImagesAsync("a", options, TestContext.Current.CancellationToken);
        return Assert.Single(atelier.Calls).Request;
    }
}
