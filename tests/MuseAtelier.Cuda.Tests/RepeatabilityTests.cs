namespace MuseAtelier.Cuda.Tests;

public sealed class RepeatabilityTests
{
    private static readonly PictureRequest Request =
        new() { Prompt = "a lighthouse", Width = 256, Height = 256, Steps = 4, Frame = new PictureFrame(FrameStyle.Gilded) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Generate_OfOneRequestTenTimes_GivesTheSameBytesEachTime()
    {
        CudaRig.Require();
        await using Atelier atelier = await Atelier.OpenAsync(CudaRig.Checkpoint, CudaRig.Options(), cancellationToken: Cancellation);
        Picture first = await atelier.GenerateAsync(Request, cancellationToken: Cancellation);
        for (int run = 2; run <= 10; run++)
        {
            // Another picture between: what it leaves behind must not show.
            if (run == 6) await atelier.GenerateAsync(Request with { Width = 320, Seed = 9 }, cancellationToken: Cancellation);
            AssertSame(first, await atelier.GenerateAsync(Request, cancellationToken: Cancellation), run);
        }

        await using Atelier other = await Atelier.OpenAsync(CudaRig.Checkpoint, CudaRig.Options(), cancellationToken: Cancellation);
        AssertSame(first, await other.GenerateAsync(Request, cancellationToken: Cancellation), 11);
    }

    // Every part in fp32 and every part in fp16: none is left to the processor, or opening fails.
    [Theory]
    [InlineData(Precision.Fp32)]
    [InlineData(Precision.Fp16)]
    public async Task Generate_InOnePrecision_GivesTheSameBytesAgain(Precision precision)
    {
        CudaRig.Require();
        AtelierOptions options = CudaRig.Options() with { Precisions = Precisions.All(precision) };
        await using Atelier atelier = await Atelier.OpenAsync(CudaRig.Checkpoint, options, cancellationToken: Cancellation);
        AssertSame(
            await atelier.GenerateAsync(Request, cancellationToken: Cancellation),
            await atelier.GenerateAsync(Request, cancellationToken: Cancellation), 2);
    }

    [Fact]
    public async Task Fidelity_OfTheMiniature_FindsEveryPartNearButNotEqual()
    {
        CudaRig.Require();
        var request = new FidelityRequest { Seeds = 2, Width = 256, Height = 256, Steps = 4 };
        FidelityReport report = await FidelityCheck.RunAsync(
            CudaRig.Checkpoint, CudaRig.Options(), request, cancellationToken: Cancellation);
        Assert.All(report.Parts.Where(part => part.MedianHistogramDifference is null), part =>
            Assert.InRange(part.MedianRelativeError, 5e-5, 5e-3));
        Assert.All(report.Parts.Where(part => part.MedianHistogramDifference is not null), part => Assert.InRange(part.MedianPsnr, 35, 80));
    }

    private static void AssertSame(Picture first, Picture again, int run)
    {
        Assert.Equal(first.Provenance.StepHashes, again.Provenance.StepHashes);
        Assert.True(first.Pixels.Span.SequenceEqual(again.Pixels.Span), $"run {run} gives other bytes");
    }
}
