using MuseAtelier.Imaging;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;
using MuseAtelier.Tests.Upscaling;

namespace MuseAtelier.Tests.Painting;

/// <summary>Pictures of two passes, painted by the Miniature.</summary>
public sealed class HiresPictureTests(NarrowAtelier narrow) : IDisposable
{
    private static readonly PictureRequest First = TestAtelier.Small with { Steps = 2, GuidanceScale = 1 };

    private static readonly HiresPass Pass = new() { Scale = 1.5f, Strength = 0.5f, Steps = 2 };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Generate_WithEnlargedLatents_ReportsAndRecordsBothPasses()
    {
        PictureRequest request = First with { Hires = Pass, Frame = new PictureFrame(FrameStyle.Ebony, FramePlacement.Inside) };
        var reports = new List<GenerationProgress>();
        using Picture picture = await PaintAsync(request, new Reports<GenerationProgress>(reports.Add));
        Picture first = await narrow.ReferenceAsync(First);
        Assert.Equal((384, 384, 384 * 384 * 3), (picture.Width, picture.Height, picture.Pixels.Length));
        Assert.Equal(4 * 48 * 48, picture.Latents.Length);
        Assert.Equal(request, picture.Request);

        // A start and two steps of each pass; the first pass is that of the request without a second one.
        Assert.Equal(6, picture.Provenance.StepHashes.Count);
        Assert.Equal(first.Provenance.StepHashes, picture.Provenance.StepHashes.Take(3));
        Assert.Equal(4, picture.Timings.Steps.Count);
        Assert.Equal(BatchSlot.Alone, picture.Provenance.BatchSlot);
        ResidencyPlan plan = picture.Memory!.Plan;
        Assert.Equal((256, 384), (plan.Request.Width, plan.SecondPass!.Request.Width));
        Assert.Equal(
            [PlanPhase.Text, PlanPhase.Conditioning, PlanPhase.Denoising, PlanPhase.Text, PlanPhase.Conditioning, PlanPhase.Denoising,
                PlanPhase.Decoding],
            picture.Memory.Phases.Select(phase => phase.Phase));

        Assert.All(reports.Where(report => report.Phase != GenerationPhase.Queued), report => Assert.Equal(4, report.Steps));
        int[] steps = [.. reports.Where(report => report.Phase == GenerationPhase.Denoising).Select(report => report.Step)];
        Assert.Equal([1, 2, 3, 4], steps);
        Assert.Single(reports, report => report.Phase == GenerationPhase.Decoding);
        Assert.Equal(GenerationPhase.Done, reports[^1].Phase);
    }

    [Fact]
    public async Task Generate_WithLanczos_IsImageToImageOfTheEnlargedPicture()
    {
        PictureRequest request = First with { Hires = Pass with { Upscaler = HiresUpscaler.Lanczos } };
        using Picture picture = await PaintAsync(request);
        Picture first = await narrow.ReferenceAsync(First);
        byte[] enlarged = new byte[384 * 384 * 3];
        Resampler.Resize(first.Pixels.Span, 3, 256, 256, enlarged, 384, 384, ResampleFilter.Lanczos);

        // Two steps at strength 0.5 are the last ones of four.
        PictureRequest second = First with
        {
            Width = 384,
            Height = 384,
            Steps = 4,
            Source = new PictureSource(new SourceImage(384, 384, enlarged)) { Strength = 0.5f },
        };
        using Picture expected = await PaintAsync(second);
        Assert.Equal(expected.Latents.Span, picture.Latents.Span);
        Assert.Equal(expected.Pixels.Span, picture.Pixels.Span);
        Assert.True(picture.Timings.Enlarging > TimeSpan.Zero && picture.Timings.Encoding > TimeSpan.Zero);
    }

    [Fact]
    public async Task GenerateMany_WithASecondPass_GivesEachPictureThatItsSeedGives()
    {
        PictureRequest request = First with { Hires = Pass with { Upscaler = HiresUpscaler.LatentBicubic } };
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        List<Picture> series =
            await narrow.Atelier.GenerateManyAsync(request, 2, 1, cancellationToken: cancellation).ToListAsync(cancellation);
        Assert.Equal([7UL, 8UL], series.Select(picture => picture.Request.Seed));
        using Picture second = await PaintAsync(request with { Seed = 8 });
        Assert.Equal(second.Pixels.Span, series[1].Pixels.Span);
        Assert.Equal(second.Provenance.StepHashes, series[1].Provenance.StepHashes);
        Assert.NotEqual(series[0].Provenance.StepHashes[^1], series[1].Provenance.StepHashes[^1]);
        foreach (Picture picture in series) picture.Dispose();
    }

    [Fact]
    public async Task GenerateMany_OfTwoInABatch_NamesTheSeedOfEach()
    {
        PictureRequest request = First with { Steps = 1, Hires = Pass with { Steps = 1 } };
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        List<Picture> series =
            await narrow.Atelier.GenerateManyAsync(request, 2, 2, cancellationToken: cancellation).ToListAsync(cancellation);
        Assert.Equal([7UL, 8UL], series.Select(picture => picture.Request.Seed));
        Assert.Equal([0, 1], series.Select(picture => picture.Provenance.BatchSlot.Index));
        foreach (Picture picture in series) picture.Dispose();
    }

    [Fact]
    public async Task Generate_WithOwnMembers_TakesThemInTheSecondPassAlone()
    {
        HiresPass own = Pass with { Prompt = "a red boat", Sampler = SamplerName.Dpmpp2M, GuidanceScale = 4, Strength = 1 };
        using Picture picture = await PaintAsync(First with { Hires = own });
        Picture first = await narrow.ReferenceAsync(First);
        Assert.Equal(first.Provenance.StepHashes, picture.Provenance.StepHashes.Take(3));
        Assert.Equal(6, picture.Provenance.StepHashes.Count);
        Assert.True(picture.Memory!.Plan.SecondPass!.Request.Guided);
        Assert.False(picture.Memory.Plan.Request.Guided);
    }

    [Fact]
    public async Task Generate_WithAnUpscaler_RecordsItsDigestAndRefusesAnotherFile()
    {
        string path = MadeUpUpscaler.Compact(scale: 2).Write(_folder["compact.safetensors"]);
        PictureRequest request = First with { Hires = Pass with { Upscaler = HiresUpscaler.Model(path) } };
        var reports = new List<GenerationProgress>();
        using Picture once = await PaintAsync(request, new Reports<GenerationProgress>(reports.Add));
        AssertTiles(reports);
        string digest = once.Request.Hires!.Upscaler.Sha256!;
        Assert.Equal(request, once.Request with { Hires = request.Hires });
        Assert.Equal((384, 384), (once.Width, once.Height));
        HiresPass named = request.Hires! with { Upscaler = request.Hires!.Upscaler with { Sha256 = digest } };
        using Picture again = await PaintAsync(request with { Hires = named });
        Assert.Equal(once.Pixels.Span, again.Pixels.Span);
        HiresPass other = named with { Upscaler = named.Upscaler with { Sha256 = new string('0', 64) } };
        Assert.Contains(
            digest[..12], (await Assert.ThrowsAsync<HiresException>(() => PaintAsync(request with { Hires = other }))).Message,
            StringComparison.Ordinal);

        // The same path with another file behind it.
        MadeUpUpscaler.Compact(scale: 4).Write(path);
        Assert.DoesNotContain(
            digest, (await Assert.ThrowsAsync<HiresException>(() => PaintAsync(request with { Hires = other }))).Message,
            StringComparison.Ordinal);
        await Assert.ThrowsAsync<HiresException>(() => PaintAsync(request with { Hires = named }));
    }

    [Fact]
    public async Task Generate_CancelledInTheSecondPass_EndsAndPaintsAgain()
    {
        PictureRequest request = First with { Hires = Pass };
        using var leaving = new CancellationTokenSource();
        var progress = new Reports<GenerationProgress>(report =>
        {
            if (report is { Phase: GenerationPhase.Denoising, Step: 3 }) leaving.Cancel();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => narrow.Atelier.GenerateAsync(
            request, new GenerationOptions { Progress = progress }, leaving.Token));
        using Picture once = await PaintAsync(request);
        using Picture again = await PaintAsync(request);
        Assert.Equal(once.Pixels.Span, again.Pixels.Span);
    }

    // A picture of 256 px is one tile. Its reports come between the two steps of each pass.
    private static void AssertTiles(List<GenerationProgress> reports) => Assert.Equal(
        [
            (GenerationPhase.Encoding, 0, 0), (GenerationPhase.Denoising, 1, 0), (GenerationPhase.Denoising, 2, 0),
            (GenerationPhase.Enlarging, 2, 0), (GenerationPhase.Enlarging, 2, 1),
            (GenerationPhase.Encoding, 2, 1), (GenerationPhase.Denoising, 3, 1), (GenerationPhase.Denoising, 4, 1),
            (GenerationPhase.Decoding, 4, 1), (GenerationPhase.Done, 4, 1),
        ],
        reports.Where(report => (report.Steps, report.Tiles) == (4, 1)).Select(report => (report.Phase, report.Step, report.Tile)));

    private Task<Picture> PaintAsync(PictureRequest request, IProgress<GenerationProgress>? progress = null) =>
        narrow.Atelier.GenerateAsync(
            request, new GenerationOptions { Progress = progress }, TestContext.Current.CancellationToken);
}
