using MuseAtelier.Framing;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

/// <summary>Small pictures that are painted from an existing one.</summary>
public sealed class SourcePictureTests(TestAtelier miniature, NarrowAtelier narrow)
{
    private const int Side = 256;

    private static readonly InpaintMask Mask = new(Starry.Middle(Side)) { Blur = 0 };

    private static readonly PictureRequest Request = TestAtelier.Small with
    {
        Steps = 2,
        NegativePrompt = "fog",
        Source = new PictureSource(Starry.Small) { Strength = 0.5f },
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GenerateAsync_OfStrengthZero_EncodesAndDecodes()
    {
        Picture picture = await miniature.Atelier.GenerateAsync(
            With(Request, source => source with { Strength = 0 }), cancellationToken: Cancellation);
        Assert.True(Likeness.Psnr(picture.Pixels.Span, Starry.Small.Pixels.Span) > 22);
        Assert.Empty(picture.Timings.Steps);
        Assert.Single(picture.Provenance.StepHashes);
        Assert.Equal(0, picture.Memory!.Plan.Request.Steps);
        Assert.True(picture.Timings.Encoding > TimeSpan.Zero);
        Assert.Empty(picture.Notices);
    }

    [Fact]
    public async Task GenerateManyAsync_OfASource_GivesInItsPlaceAndAloneTheSamePicture()
    {
        PictureRequest request = Request with { Seed = ulong.MaxValue };
        List<Picture> together = await narrow.Atelier.GenerateManyAsync(request, 2, 2, cancellationToken: Cancellation)
            .ToListAsync(Cancellation);
        Assert.Equal([ulong.MaxValue, 0], together.Select(picture => picture.Request.Seed));
        Picture again = await narrow.Atelier.GenerateAsync(
            together[1].Request, together[1].Provenance.BatchSlot, cancellationToken: Cancellation);
        Assert.Equal(together[1].Provenance.StepHashes, again.Provenance.StepHashes);
        Assert.Equal(together[1].Pixels.Span, again.Pixels.Span);
        Picture alone = await PaintAsync(together[1].Request);
        Assert.Equal(alone.Provenance.StepHashes[0], together[1].Provenance.StepHashes[0]);
        Assert.True(Likeness.Psnr(alone.Pixels.Span, together[1].Pixels.Span) > 60);
        Picture twice = await PaintAsync(together[1].Request);
        Assert.Equal(alone.Pixels.Span, twice.Pixels.Span);
        await Allocations.AssertNoneAsync(alone, () => PaintAsync(together[1].Request));
        Assert.False(together[0].Pixels.Span.SequenceEqual(together[1].Pixels.Span));
    }

    [Fact]
    public async Task GenerateAsync_WithAMaskPastedBack_KeepsEveryByteOutsideOfItUnderTheFrameToo()
    {
        PictureRequest request = With(Request, source => source with { Mask = Mask });
        Picture whole = await PaintAsync(With(request, source => source with { Mask = Mask with { PasteBack = false } }));
        Picture pasted = await PaintAsync(request);
        Assert.Equal(whole.Provenance.StepHashes, pasted.Provenance.StepHashes);
        Assert.False(whole.Pixels.Span.SequenceEqual(pasted.Pixels.Span));
        for (int at = 0; at < Side * Side; at++)
        {
            bool isPainted = Mask.Image.Pixels.Span[at] == 255;
            ReadOnlySpan<byte> expected = (isPainted ? whole.Pixels : Starry.Small.Pixels).Span.Slice(at * 3, 3);
            Assert.True(expected.SequenceEqual(pasted.Pixels.Span.Slice(at * 3, 3)));
        }

        var frame = new PictureFrame(FrameStyle.Gilded, FramePlacement.Outside);
        Picture framed = await PaintAsync(request with { Frame = frame });
        FrameOverlay overlay = FrameOverlay.Paint(Side, Side, frame);
        byte[] expectedFrame = new byte[overlay.Width * overlay.Height * 3];
        overlay.LayOver(pasted.Pixels.Span, Side, expectedFrame);
        Assert.Equal((overlay.Width, overlay.Height), (framed.Width, framed.Height));
        Assert.Equal(expectedFrame, framed.Pixels.ToArray());
    }

    [Fact]
    public async Task GenerateAsync_OfTheMasksSurroundings_HasTheSizeOfTheSource()
    {
        var mask = new InpaintMask(Starry.Middle(512)) { Blur = 0, OnlyMaskedPadding = 16 };
        Picture picture = await PaintAsync(
            Request with { Source = new PictureSource(Starry.Large) { Strength = 0.5f, Mask = mask }, Frame = null });
        Assert.Equal((512, 512), (picture.Width, picture.Height));
        Assert.Equal(512 * 512 * 3, picture.Pixels.Length);
        Assert.Equal(4 * 32 * 32, picture.Latents.Length);
        for (int at = 0; at < 512 * 512; at++)
            if (mask.Image.Pixels.Span[at] == 0)
                Assert.True(Starry.Large.Pixels.Span.Slice(at * 3, 3).SequenceEqual(picture.Pixels.Span.Slice(at * 3, 3)));
    }

    [Fact]
    public async Task GenerateAsync_AtStrengthOneWithAFullMask_EqualsTextToImageFromTheSameStartNoise()
    {
        byte[] white = new byte[Side * Side];
        white.AsSpan().Fill(255);
        var full = new InpaintMask(new MaskImage(Side, Side, white)) { Blur = 0 };
        Picture inpainted = await PaintAsync(With(Request, source => source with { Strength = 1, Mask = full }));
        await using Atelier atelier = await narrow.OpenAsync(TestAtelier.Options with { NoiseSources = [LaterNoise.Registration] });
        Picture painted = await atelier.GenerateAsync(
            Request with { Source = null, NoiseSource = LaterNoise.Name }, cancellationToken: Cancellation);
        Assert.Equal(painted.Provenance.StepHashes[0], inpainted.Provenance.StepHashes[0]);
        Assert.Equal(
            painted.Provenance.StepHashes.Select(step => step.Noise), inpainted.Provenance.StepHashes.Select(step => step.Noise));
        Assert.True(Likeness.RelativeError(painted.Latents.Span, inpainted.Latents.Span) < 1e-5);
        Assert.True(Likeness.Psnr(painted.Pixels.Span, inpainted.Pixels.Span) > 60);
    }

    [Theory]
    [InlineData(SamplingDialect.Comfy, 2)]
    [InlineData(SamplingDialect.A1111, 2)]
    public async Task GenerateAsync_OfAnotherDialect_RunsItsStepsAndReportsThem(SamplingDialect dialect, int steps)
    {
        var reports = new Reports<GenerationProgress>();
        PictureRequest request = With(Request, source => source with { Mask = Mask with { Content = MaskedContent.Noise } });
        Picture picture = await narrow.Atelier.GenerateAsync(request with { Dialect = dialect }, reports, Cancellation);
        Assert.Equal(steps, picture.Timings.Steps.Count);
        Assert.Equal(steps, picture.Memory!.Plan.Request.Steps);
        Assert.All(reports.All, report => Assert.Equal(steps, report.Steps));
        Assert.Equal(steps, reports.All.Count(report => report.Phase == GenerationPhase.Denoising));
    }

    private Task<Picture> PaintAsync(PictureRequest request) =>
        narrow.Atelier.GenerateAsync(request, cancellationToken: Cancellation);

    private static PictureRequest With(PictureRequest request, Func<PictureSource, PictureSource> change) =>
        request with { Source = change(request.Source!) };

    // The noise of diffusers' generator without the draw for the source before the initial noise, and without that for the masked source
    // behind it.
    private sealed class LaterNoise(ulong seed) : INoiseGenerator
    {
        private readonly TorchCpuNoise _generator = new(seed);

        public static NoiseSource Name { get; } = new("later");

        public static NoiseSourceRegistration Registration { get; } = new(Name, seed =>
        {
            var start = new LaterNoise(seed);
            return new PictureNoise(start, start._generator);
        });

        public void Fill(Span<float> destination)
        {
            float[] unused = new float[destination.Length];
            _generator.Fill(unused);
            _generator.Fill(destination);
            _generator.Fill(unused);
        }
    }
}
