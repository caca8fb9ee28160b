namespace MuseAtelier.Cuda.Tests;

public sealed class SessionRotationTests
{
    private static readonly PictureRequest Request =
        new() { Prompt = "a lighthouse in a storm", Width = 512, Height = 512, Steps = 3, Seed = 5 };

    [Fact]
    public async Task Generate_WithRotatingSessions_PaintsTheSamePictureWithinItsPlan()
    {
        CudaRig.Require();
        Picture expected = (await Paint(OffloadMode.Resident, pictures: 1))[0];
        List<Picture> turning = await Paint(OffloadMode.Rotate, pictures: 2);
        Assert.All(turning, picture =>
        {
            PictureMemory memory = picture.Memory!;
            Assert.Equal(OffloadMode.Rotate, memory.Plan.Offload);
            Assert.SkipWhen(memory.PeakBytes is null, "The driver does not tell what a process holds.");
            Assert.True(
                memory.PeakBytes <= memory.Plan.PeakBytes,
                $"{ByteSize.Format(memory.PeakBytes!.Value)} held of {ByteSize.Format(memory.Plan.PeakBytes)} planned");
            // Sessions that run once are made with fewer of ONNX Runtime's own fusions, so sums may round otherwise: as far apart as each
            // is from fp32.
            Assert.InRange(CudaRig.RelativeError(picture.Latents.Span, expected.Latents.Span), 0, 5e-3);
        });
        Assert.Equal(turning[0].Pixels.ToArray(), turning[1].Pixels.ToArray());
    }

    private static async Task<List<Picture>> Paint(OffloadMode offload, int pictures)
    {
        await using Atelier atelier = await Atelier.OpenAsync(
            CudaRig.Checkpoint, CudaRig.Options() with { Offload = offload, WatchMemory = true },
            cancellationToken: TestContext.Current.CancellationToken);
        List<Picture> painted = [];
        for (int i = 0; i < pictures; i++)
            painted.Add(await atelier.GenerateAsync(Request, cancellationToken: TestContext.Current.CancellationToken));
        return painted;
    }
}
