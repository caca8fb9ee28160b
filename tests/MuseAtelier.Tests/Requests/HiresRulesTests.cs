using MuseAtelier.Pipeline;
using MuseAtelier.Sampling;

namespace MuseAtelier.Tests.Requests;

public sealed class HiresRulesTests
{
    private static readonly PictureRequest Usual = new() { Prompt = "a lake", Steps = 20 };

    [Theory]
    [InlineData(2f, 0.5f, null)]
    [InlineData(4f, 1f, 900)]
    [InlineData(1.5f, 0.001f, 1)]
    [InlineData(1.1f, 0.75f, 15)]
    public void Check_OfASecondPassInRange_Passes(float scale, float strength, int? steps) =>
        PictureRequestException.ThrowIfUnpaintable(With(new HiresPass { Scale = scale, Strength = strength, Steps = steps }));

    [Theory]
    [InlineData(1f, "above 1 and up to 8")]
    [InlineData(0.5f, "above 1 and up to 8")]
    [InlineData(float.NaN, "above 1 and up to 8")]
    [InlineData(float.PositiveInfinity, "above 1 and up to 8")]
    [InlineData(9f, "above 1 and up to 8")]
    [InlineData(4.1f, "The largest factor for this size is 4.")]
    [InlineData(1.001f, "no larger than the first")]
    public void Check_OfAScaleOutOfRange_NamesTheRange(float scale, string named) =>
        Assert.Contains(named, Refused(new HiresPass { Scale = scale }).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(0f)]
    [InlineData(-1f)]
    [InlineData(1.01f)]
    [InlineData(float.NaN)]
    public void Check_OfAStrengthOutOfRange_NamesTheRange(float strength) =>
        Assert.Contains("above 0 and up to 1", Refused(new HiresPass { Strength = strength }).Message, StringComparison.Ordinal);

    [Fact]
    public void Check_OfMembersThatTheRequestHasToo_IsThatOfTheRequest()
    {
        Assert.Throws<StepCountException>(() => Check(new HiresPass { Steps = 0 }));
        Assert.Throws<StepCountException>(() => Check(new HiresPass { Steps = 1001 }));
        Assert.Throws<StepCountException>(() => Check(new HiresPass { Steps = 600, Strength = 0.5f }));
        Assert.Throws<GuidanceScaleException>(() => Check(new HiresPass { GuidanceScale = float.NaN }));
        Assert.Throws<PromptException>(() => Check(new HiresPass { Prompt = new string('a', RequestRules.LongestPrompt + 1) }));
        Assert.Throws<RequestChoiceException>(() => Check(new HiresPass { Sampler = new SamplerName("unknown") }));
        Assert.Throws<ArgumentNullException>(() => Check(new HiresPass { Upscaler = null! }));
    }

    [Fact]
    public void KernelOf_EachUpscaler_IsThatOfItsName()
    {
        Assert.Equal(LatentKernel.Bilinear, HiresSeries.KernelOf(HiresUpscaler.Latent));
        Assert.Equal(LatentKernel.Bicubic, HiresSeries.KernelOf(HiresUpscaler.LatentBicubic));
        Assert.Equal(LatentKernel.Nearest, HiresSeries.KernelOf(HiresUpscaler.LatentNearest));
        Assert.Null(HiresSeries.KernelOf(HiresUpscaler.Lanczos));
        Assert.Null(HiresSeries.KernelOf(HiresUpscaler.Model("model.pth")));
    }

    [Fact]
    public void SecondPassOf_ARequest_HasThePassesOwnMembersOrThoseOfTheRequest()
    {
        PictureRequest request = Usual with { NegativePrompt = "fog", GuidanceScale = 5, Seed = 3, Sampler = SamplerName.Heun };
        PictureRequest same = HiresRules.SecondPassOf(request with { Hires = new HiresPass { Scale = 2 } });
        Assert.Equal(request with { Width = 2 * request.Width, Height = 2 * request.Height }, same);
        var hires = new HiresPass
        {
            Prompt = "a sea",
            NegativePrompt = "rain",
            Steps = 7,
            Sampler = SamplerName.Ddim,
            Schedule = new NoiseSchedule { Karras = true },
            GuidanceScale = 3,
        };
        PictureRequest other = HiresRules.SecondPassOf(request with { Hires = hires });
        Assert.Equal(("a sea", "rain", 7, SamplerName.Ddim), (other.Prompt, other.NegativePrompt, other.Steps, other.Sampler));
        Assert.Equal((hires.Schedule, 3f, request.Seed), (other.Schedule, other.GuidanceScale, other.Seed));
    }

    [Fact]
    public void Check_WithAMask_RefusesBothByName()
    {
        var image = new SourceImage(256, 256, new byte[256 * 256 * 3]);
        byte[] white = new byte[256 * 256];
        Array.Fill(white, byte.MaxValue);
        var source = new PictureSource(image);
        PictureRequest request = With(new HiresPass()) with { Source = source };
        PictureRequestException.ThrowIfUnpaintable(request);
        foreach (PictureSource masked in new[]
        {
            source with { Mask = new InpaintMask(new MaskImage(256, 256, white)) },
            source with { Extend = new PictureMargins(8, 0, 0, 0) },
        })
        {
            var exception = Assert.Throws<HiresException>(
                () => PictureRequestException.ThrowIfUnpaintable(request with { Source = masked }));
            Assert.Contains("mask", exception.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(15, 0.5f, 30, 15)]
    [InlineData(15, 0.7f, 21, 15)]
    [InlineData(7, 0.3f, 23, 7)]
    [InlineData(20, 1f, 20, 20)]
    public void SpanOf_ASecondPass_RunsExactlyItsSteps(int steps, float strength, int schedule, int run) => Assert.Equal(
        new StepSpan(schedule, run), HiresRules.SpanOf(With(new HiresPass { Steps = steps, Strength = strength })));

    [Fact]
    public void SpanOf_AListOfTimesteps_RunsItsLastOnes()
    {
        PictureRequest request = With(new HiresPass { Strength = 0.5f }) with
        {
            Steps = 4,
            Schedule = new NoiseSchedule { Timesteps = new TimestepList(999, 749, 499, 249) },
        };
        PictureRequestException.ThrowIfUnpaintable(request);
        Assert.Equal(new StepSpan(4, 2), HiresRules.SpanOf(request));
    }

    [Fact]
    public void SecondPassOf_ARequest_TakesItsOwnMembersWhereThePassHasNone()
    {
        PictureRequest request = With(new HiresPass { Scale = 1.5f, Prompt = "a sea", GuidanceScale = 5 }) with
        {
            Seed = 9,
            NegativePrompt = "fog",
            Frame = new PictureFrame(FrameStyle.Ebony),
        };
        PictureRequest second = HiresRules.SecondPassOf(request);
        Assert.Equal((1536, 1536, "a sea", "fog", 9UL, 5f), (
            second.Width, second.Height, second.Prompt, second.NegativePrompt, second.Seed, second.GuidanceScale));
        Assert.Equal(request.Frame, second.Frame);
        Assert.Null(HiresRules.FirstPassOf(request).Frame);
        Assert.Null(second.Hires);
    }

    [Fact]
    public void CheckFile_OfAMissingUpscaler_NamesIt()
    {
        string path = Path.Combine(Path.GetTempPath(), "no-such-upscaler.safetensors");
        PictureRequest request = With(new HiresPass { Upscaler = HiresUpscaler.Model(path) });
        Assert.Contains(path, Assert.Throws<HiresException>(() => HiresRules.CheckFile(request)).Message, StringComparison.Ordinal);
        HiresRules.CheckFile(With(new HiresPass()));
    }

    private static PictureRequest With(HiresPass hires) => Usual with { Hires = hires };

    private static void Check(HiresPass hires) => PictureRequestException.ThrowIfUnpaintable(With(hires));

    private static HiresException Refused(HiresPass hires) => Assert.Throws<HiresException>(() => Check(hires));
}
