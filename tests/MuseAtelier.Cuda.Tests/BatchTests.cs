using MuseAtelier.Cuda.Kernels;

namespace MuseAtelier.Cuda.Tests;

/// <summary>Several pictures in one pass of the denoising network, on the card.</summary>
public sealed class BatchTests
{
    private static readonly PictureRequest Request =
        new() { Prompt = "a lighthouse", NegativePrompt = "fog", Width = 512, Height = 512, Steps = 6, Seed = 3 };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GenerateManyAsync_OfTwoAtATime_GivesBytesThatTheirPlacesGiveAgainWithinThePlan()
    {
        CudaRig.Require();
        List<Picture> pictures = [];
        await using (Atelier atelier = await Atelier.OpenAsync(
            CudaRig.Checkpoint, CudaRig.Options() with { WatchMemory = true }, cancellationToken: Stop))
        {
            // Twice: the second pass plays the captured step. .NET and ONNX Runtime allocate by themselves once in hundreds of steps.
            for (int i = 0; i < 2 || (i < 6 && pictures.Exists(picture => picture.Timings.DenoisingManagedBytes > 0)); i++)
            {
                pictures.Clear();
                await foreach (Picture picture in atelier.GenerateManyAsync(Request, 2, 2, cancellationToken: Stop)) pictures.Add(picture);
            }

            Assert.Equal([new BatchSlot(2, 0), new BatchSlot(2, 1)], pictures.Select(picture => picture.Provenance.BatchSlot));
            Assert.All(pictures, picture => Assert.Equal(0, picture.Timings.DenoisingManagedBytes));
            Assert.All(pictures, picture =>
                Assert.True(
                    picture.Memory!.PeakBytes is null || picture.Memory.PeakBytes <= picture.Memory.Plan.PeakBytes,
                    $"{picture.Memory!.PeakBytes} bytes where {picture.Memory.Plan.PeakBytes} were planned"));
            foreach (Picture picture in pictures)
                AssertSame(picture, await atelier.GenerateAsync(picture.Request, picture.Provenance.BatchSlot, cancellationToken: Stop));

            // Painted alone, it is the same picture but for its last bits.
            foreach (Picture picture in pictures)
            {
                Picture alone = await atelier.GenerateAsync(picture.Request, cancellationToken: Stop);
                Assert.Equal(picture.Provenance.StepHashes[0], alone.Provenance.StepHashes[0]);
                Assert.True(CudaRig.RelativeError(alone.Latents.Span, picture.Latents.Span) < 0.1);
            }
        }

        await using Atelier next = await Atelier.OpenAsync(CudaRig.Checkpoint, CudaRig.Options(), cancellationToken: Stop);
        AssertSame(pictures[1], await next.GenerateAsync(pictures[1].Request, pictures[1].Provenance.BatchSlot, cancellationToken: Stop));
    }

    [Theory]
    [InlineData(OffloadMode.Stream)]
    [InlineData(OffloadMode.Rotate)]
    public async Task GenerateManyAsync_WithWeightsThatDoNotStay_PaintsThePass(OffloadMode offload)
    {
        CudaRig.Require();
        await using Atelier atelier = await Atelier.OpenAsync(
            CudaRig.Checkpoint, CudaRig.Options() with { Offload = offload, WatchMemory = true }, cancellationToken: Stop);
        List<Picture> pictures = [];
        await foreach (Picture picture in atelier.GenerateManyAsync(Request, 3, 2, cancellationToken: Stop)) pictures.Add(picture);
        Assert.Equal([new BatchSlot(2, 0), new BatchSlot(2, 1), BatchSlot.Alone], pictures.Select(picture => picture.Provenance.BatchSlot));
        Assert.All(pictures, picture => Assert.Equal(offload, picture.Memory!.Plan.Offload));
        Assert.All(pictures, picture =>
            Assert.True(
                picture.Memory!.PeakBytes is null || picture.Memory.PeakBytes <= picture.Memory.Plan.PeakBytes,
                $"{picture.Memory!.PeakBytes} bytes where {picture.Memory.Plan.PeakBytes} were planned"));
        foreach (Picture picture in pictures)
            AssertSame(picture, await atelier.GenerateAsync(picture.Request, picture.Provenance.BatchSlot, cancellationToken: Stop));
    }

    [Fact]
    public void LargestBatch_OfTheKernels_HoldsAGuidedPass() => Assert.True(KernelModule.LargestBatch >= 2 * BatchSlot.LargestBatch);

    private static void AssertSame(Picture expected, Picture actual)
    {
        Assert.Equal(expected.Provenance.StepHashes, actual.Provenance.StepHashes);
        Assert.Equal(expected.Pixels.ToArray(), actual.Pixels.ToArray());
    }
}
