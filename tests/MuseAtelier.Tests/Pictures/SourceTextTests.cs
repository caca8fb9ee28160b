using MuseAtelier.Pictures;

namespace MuseAtelier.Tests.Pictures;

/// <summary>Image to image, inpainting and second passes in AUTOMATIC1111's text.</summary>
public sealed class SourceTextTests
{
    private static readonly SourceImage Image = new(2, 1, new byte[6]);
    private static readonly MaskImage Mask = new(2, 1, new byte[2]);

    // A line as AUTOMATIC1111 1.10 writes it after its hires fix.
    [Fact]
    public void Parse_OfAHiresFix_TakesTheSecondPass()
    {
        const string text =
            "portrait of a heron, reeds\nNegative prompt: lowres\n"
            + "Steps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 5.5, Seed: 1234567890, Size: 832x1216, "
            + "Model hash: 31e35c80fc, Model: sd_xl_base_1.0, Denoising strength: 0.45, Clip skip: 2, "
            + "Hires prompt: \"portrait of a heron, sharp\", Hires upscale: 1.5, Hires steps: 14, Hires upscaler: Latent (bicubic), "
            + "Hires sampler: Euler a, Hires schedule type: Exponential, Version: v1.10.1";
        ParsedParameters parsed = ParametersText.Parse("a.png", text);
        Assert.Empty(parsed.NotTaken);
        Assert.Null(parsed.Source);
        var expected = new HiresPass
        {
            Scale = 1.5f,
            Strength = 0.45f,
            Steps = 14,
            Upscaler = HiresUpscaler.LatentBicubic,
            Prompt = "portrait of a heron, sharp",
            Sampler = SamplerName.EulerAncestral,
            Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Exponential },
        };
        Assert.Equal(expected, parsed.Request.Hires);
        Assert.Equal((832, 1216), (parsed.Request.Width, parsed.Request.Height));
    }

    // Forge adds the module, and the guidance scale of the second pass.
    [Fact]
    public void Parse_OfForgesHiresFix_TakesItsGuidanceAndNamesTheModel()
    {
        const string text =
            "a castle\nSteps: 20, Sampler: Euler, Schedule type: Simple, CFG scale: 7, Seed: 5, Size: 1024x1024, Denoising strength: 0.3, "
            + "Hires Module 1: Use same choices, Hires CFG Scale: 4.5, Hires upscale: 2, Hires upscaler: 4x-UltraSharp, "
            + "Version: f2.0.1v1.10.1-previous-659-gc055f2d4";
        ParsedParameters parsed = ParametersText.Parse("a.png", text);
        Assert.Equal(["Hires upscaler: 4x-UltraSharp (enlarged with lanczos)"], parsed.NotTaken);
        Assert.Equal(
            (2f, 0.3f, 4.5f, HiresUpscaler.Lanczos, null),
            (parsed.Request.Hires!.Scale, parsed.Request.Hires.Strength, parsed.Request.Hires.GuidanceScale,
                parsed.Request.Hires.Upscaler, parsed.Request.Hires.Steps));
    }

    [Theory]
    [InlineData("Hires resize: 1024x1536", 2f, null)]
    [InlineData("Hires resize: 0x1152", 1.5f, null)]
    [InlineData("Hires resize: 1024x1024", 2f, "Hires resize: 1024x1024 (painted in the shape of the first pass, 1024x1536)")]
    [InlineData("Hires resize: 512x512", null, "Hires resize: 512x512")]
    [InlineData("Hires resize: 99999x0", null, "Hires resize: 99999x0")]
    [InlineData("Hires upscale: 0.5", null, "Hires upscale: 0.5")]
    [InlineData("Hires upscale: NaN", null, "Hires upscale: NaN")]
    public void Parse_OfASizeOfTheSecondPass_IsAFactor(string setting, float? scale, string? named)
    {
        ParsedParameters parsed = ParametersText.Parse(
            "a.png", $"x\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 512x768, Hires upscaler: Latent, {setting}");
        Assert.Equal(scale, parsed.Request.Hires?.Scale);
        Assert.Equal(named is null ? [] : [named], parsed.NotTaken);
    }

    // A line as AUTOMATIC1111 writes it for inpainting. The picture itself is not in the text.
    [Fact]
    public void Parse_OfInpainting_NamesTheSettingsAndKeepsThemForASource()
    {
        const string text =
            "a red door\nSteps: 20, Sampler: Euler a, Schedule type: Automatic, CFG scale: 7, Seed: 5, Size: 1024x1024, "
            + "Model: sd_xl_base_1.0, Denoising strength: 0.75, Mask blur: 8, Inpaint area: Only masked, Masked area padding: 48, "
            + "Masked content: latent noise, Version: v1.10.1";
        ParsedParameters parsed = ParametersText.Parse("a.png", text);
        Assert.Null(parsed.Request.Source);
        Assert.Equal(
            [
                "Denoising strength: 0.75", "Mask blur: 8", "Inpaint area: Only masked", "Masked area padding: 48",
                "Masked content: latent noise",
            ],
            parsed.NotTaken);
        Assert.Equal(parsed.NotTaken, parsed.Source!.NotTaken);
        PictureSource source = parsed.Source.ToSource(Image, Mask);
        var expected = new PictureSource(Image)
        {
            Strength = 0.75f,
            Mask = new InpaintMask(Mask) { Blur = 8, Content = MaskedContent.Noise, OnlyMaskedPadding = 48 },
        };
        Assert.Equal(expected, source);
    }

    [Fact]
    public void Write_OfASource_IsReadAgain()
    {
        var source = new PictureSource(Image)
        {
            Strength = 0.4f,
            Fit = SourceFit.Stretch,
            Extend = new PictureMargins(8, 0, 64, 0),
            Mask = new InpaintMask(Mask) { Blur = 12, Content = MaskedContent.Fill, OnlyMaskedPadding = 16, PasteBack = false },
        };
        string text = WriteOf(new PictureRequest { Prompt = "x", Source = source });
        Assert.Contains(
            "Denoising strength: 0.4, Mask blur: 12, Masked content: fill, Inpaint area: Only masked, Masked area padding: 16, ",
            text,
            StringComparison.Ordinal);
        Assert.Equal(source, ParametersText.Parse("a.png", text).Source!.ToSource(Image, Mask));
    }

    [Fact]
    public void Write_OfStrength1_IsReadAgain()
    {
        string text = WriteOf(new PictureRequest { Prompt = "x", Source = new PictureSource(Image) { Strength = 1 } });
        Assert.Equal(1, ParametersText.Parse("a.png", text).Source!.Strength);
        const string other = "x\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Size: 512x768, Denoising strength: 1";
        Assert.Null(ParametersText.Parse("a.png", other).Source);
        Assert.Equal(1, ParametersText.Parse("a.png", other + ", Mask blur: 4").Source!.Strength);
    }

    [Fact]
    public void Write_OfASecondPass_IsReadAgain()
    {
        HiresPass[] passes =
        [
            new(),
            new()
            {
                Scale = 1.75f,
                Strength = 0.6f,
                Steps = 9,
                Upscaler = HiresUpscaler.LatentNearest,
                Prompt = "a, \"b\": c",
                NegativePrompt = "d, e",
                Sampler = SamplerName.Heun,
                GuidanceScale = 1,
                Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Trailing },
            },
            new() { Upscaler = HiresUpscaler.Lanczos, Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Beta } },
            new() { Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Leading, Karras = true } },
        ];
        foreach (HiresPass pass in passes)
        {
            ParsedParameters parsed = ParametersText.Parse("a.png", WriteOf(new PictureRequest { Prompt = "x", Hires = pass }));
            Assert.Equal(pass, parsed.Request.Hires);
            Assert.Empty(parsed.NotTaken);
        }
    }

    [Fact]
    public void Write_OfBoth_KeepsBothStrengths()
    {
        var request = new PictureRequest
        {
            Prompt = "x",
            Source = new PictureSource(Image) { Strength = 0.9f },
            Hires = new HiresPass { Strength = 0.2f },
        };
        ParsedParameters parsed = ParametersText.Parse("a.png", WriteOf(request));
        Assert.Equal((0.9f, 0.2f), (parsed.Source!.Strength, parsed.Request.Hires!.Strength));
    }

    // The text names no folder, and is the same before and after the record was read.
    [Fact]
    public void Write_OfAnUpscalersModel_NamesItsFile()
    {
        HiresUpscaler model = HiresUpscaler.Model("/m/4x-Sharp.pth");
        var request = new PictureRequest { Prompt = "x", Steps = 1, Hires = new HiresPass { Upscaler = model } };
        Assert.Contains(", Hires upscaler: 4x-Sharp, ", WriteOf(request), StringComparison.Ordinal);
        PictureRequest recorded = PictureRecord.Parse("a.png", SamplePicture.RecordOf(request).ToJson()).Request;
        Assert.Equal(WriteOf(request), WriteOf(recorded));
    }

    private static string WriteOf(PictureRequest request) =>
        ParametersText.Write(request, "miniature", SamplePicture.Sha256, "MuseAtelier 0.1.0");
}
