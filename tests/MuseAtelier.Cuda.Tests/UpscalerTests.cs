using MuseAtelier.Tests.Support;
using MuseAtelier.Tests.Upscaling;
using Planes = MuseAtelier.Tests.Upscaling.DirectUpscaler.Planes;

namespace MuseAtelier.Cuda.Tests;

/// <summary>Upscalers on a card, against a computation in double precision.</summary>
public sealed class UpscalerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    // Levels of 255: fp16 keeps 11 bits of every activation, fp32 with TF32 as many of every factor.
    [Theory]
    [InlineData(Precision.Fp16, 1, 3)]
    [InlineData(Precision.Fp16, 2, 3)]
    [InlineData(Precision.Fp32, 1, 1.6)]
    public async Task UpscaleAsync_WithARrdbNetwork_IsTheDirectComputation(Precision precision, int unshuffle, double allowed)
    {
        RawCheckpoint weights = MadeUpUpscaler.Rrdb(unshuffle);
        byte[] pixels = MadeUpUpscaler.Picture(16, 12);
        await CompareAsync(weights, pixels, new DirectUpscaler(weights).Rrdb(pixels, 16, 12, unshuffle), precision, allowed);
    }

    [Theory]
    [InlineData(Precision.Fp16, 3)]
    [InlineData(Precision.Fp32, 1.6)]
    public async Task UpscaleAsync_WithACompactNetwork_IsTheDirectComputation(Precision precision, double allowed)
    {
        RawCheckpoint weights = MadeUpUpscaler.Compact();
        byte[] pixels = MadeUpUpscaler.Picture(16, 12);
        await CompareAsync(weights, pixels, new DirectUpscaler(weights).Compact(pixels, 16, 12, 4), precision, allowed);
    }

    [Fact]
    public async Task UpscaleAsync_OfANetworkThatOverflowsFp16_IsDoneAgainInFp32()
    {
        RawCheckpoint weights = MadeUpUpscaler.Overflowing();
        byte[] pixels = MadeUpUpscaler.Picture(16, 12);
        await CompareAsync(weights, pixels, new DirectUpscaler(weights).Compact(pixels, 16, 12, 2), Precision.Fp16, allowed: 1.6);
    }

    [Fact]
    public async Task UpscaleAsync_InTiles_GivesTheSameBytesEachTime()
    {
        CudaRig.Require();
        await WithFileAsync(MadeUpUpscaler.Rrdb(), async file =>
        {
            var image = new SourceImage(300, 280, MadeUpUpscaler.Picture(300, 280));
            await using Upscaler upscaler = await Upscaler.OpenAsync(file, CudaRig.Options(), cancellationToken: Stop);
            SourceImage first = await upscaler.UpscaleAsync(image, cancellationToken: Stop);
            Assert.Equal((1200, 1120), (first.Width, first.Height));
            Assert.Equal(first.Sha256, (await upscaler.UpscaleAsync(image, cancellationToken: Stop)).Sha256);
        });
    }

    private static Task CompareAsync(RawCheckpoint weights, byte[] pixels, Planes expected, Precision precision, double allowed)
    {
        CudaRig.Require();
        return WithFileAsync(weights, async file =>
        {
            AtelierOptions options = CudaRig.Options() with { Precisions = Precisions.All(precision) };
            await using Upscaler upscaler = await Upscaler.OpenAsync(file, options, cancellationToken: Stop);
            SourceImage found = await upscaler.UpscaleAsync(new SourceImage(16, 12, pixels), cancellationToken: Stop);
            expected.AssertIs(found, allowed);
        });
    }

    private static async Task WithFileAsync(RawCheckpoint weights, Func<string, Task> test)
    {
        string folder = Directory.CreateTempSubdirectory("muse-").FullName;
        try
        {
            await test(weights.Write(Path.Combine(folder, "upscaler.safetensors")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
