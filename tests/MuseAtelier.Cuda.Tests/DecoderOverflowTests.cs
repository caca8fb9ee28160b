using MuseAtelier.Pictures;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Cuda.Tests;

public sealed class DecoderOverflowTests
{
    // The plain picture is decoded in fp16: where a processor does both, 69 dB lie between them. A card sums in another order.
    private const double LeastPsnr = 50;

    [Fact]
    public async Task GenerateAsync_OfADecoderThatOverflows_DecodesOnceMoreInFp32WithANotice()
    {
        CudaRig.Require();
        var request = new PictureRequest
        {
            Prompt = "a starry night over a quiet city, oil painting",
            Width = 512,
            Height = 384,
            Steps = 4,
            Seed = 7,
        };
        string folder = Directory.CreateTempSubdirectory("muse-").FullName;
        try
        {
            string loud = Path.Combine(folder, "loud.safetensors");
            OverflowingCheckpoint.Write(CudaRig.Checkpoint, loud);
            Picture[] plain = await PaintTwice(CudaRig.Checkpoint, request), rescued = await PaintTwice(loud, request);

            Assert.All(plain, picture => Assert.False(picture.DecodedInFp32));
            Assert.All(rescued, picture =>
            {
                Assert.True(picture.DecodedInFp32);
                Assert.Contains("fp32", Assert.Single(picture.Notices), StringComparison.Ordinal);
                Assert.True(PictureRecord.Of(picture, new RecordedEncoding(PictureFormat.Png)).DecodedInFp32);
                Assert.Equal(plain[0].Latents.ToArray(), picture.Latents.ToArray());
                Assert.True(Psnr(plain[0], picture) > LeastPsnr, $"{Psnr(plain[0], picture):F1} dB");
            });
            // The retry leaves nothing behind that changes the next picture.
            Assert.Equal(rescued[0].Pixels.ToArray(), rescued[1].Pixels.ToArray());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<Picture[]> PaintTwice(string checkpoint, PictureRequest request)
    {
        await using Atelier atelier = await Atelier.OpenAsync(
            checkpoint, CudaRig.Options(), cancellationToken: TestContext.Current.CancellationToken);
        return
        [
            await atelier.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken),
            await atelier.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken),
        ];
    }

    private static double Psnr(Picture first, Picture second)
    {
        double squares = 0;
        ReadOnlySpan<byte> left = first.Pixels.Span, right = second.Pixels.Span;
        for (int i = 0; i < left.Length; i++) squares += (left[i] - right[i]) * (left[i] - right[i]);
        return 10 * Math.Log10(255.0 * 255 * left.Length / squares);
    }
}
