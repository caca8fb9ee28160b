using MuseAtelier.Decoding;
using MuseAtelier.Recipe;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

public sealed class VaeDecoderTests(NarrowAtelier narrow)
{
    [Theory]
    [InlineData(64, 64)]
    [InlineData(65, 64)]
    [InlineData(112, 64)]
    [InlineData(113, 64)]
    [InlineData(256, 64)]
    [InlineData(33, 32)]
    public void Starts_OfAnySide_CoverItAndShareTheOverlap(int size, int tile)
    {
        int[] starts = LatentGeometry.TileStarts(size, tile);
        Assert.Equal((0, size), (starts[0], starts[^1] + tile));
        for (int i = 1; i < starts.Length; i++) Assert.InRange(starts[i - 1] + tile - starts[i], LatentGeometry.TileOverlap, tile - 1);
    }

    [Fact]
    public async Task Decode_InTiles_ShowsNoSeam()
    {
        // Two tiles across that share 16 latents or more, one down.
        PictureRequest request = TestAtelier.Small with { Width = 768, Height = 512, Steps = 2, GuidanceScale = 1 };
        await using Atelier tiling = await narrow.OpenAsync(TestAtelier.Options with { VaeTiling = VaeTiling.Tiled });
        Picture whole = await narrow.Atelier.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken);
        Picture tiled = await tiling.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(whole.Latents.Span, tiled.Latents.Span);

        double psnr = Likeness.Psnr(whole.Pixels.Span, tiled.Pixels.Span);
        Assert.InRange(psnr, 30, 90);

        // A seam is a column that differs from its neighbour otherwise than in the whole picture.
        double[] jumps = new double[request.Width];
        for (int x = 1; x < request.Width; x++)
        {
            for (int y = 0; y < request.Height; y++)
            {
                for (int channel = 0; channel < 3; channel++)
                {
                    int at = (y * request.Width + x) * 3 + channel;
                    int jump = tiled.Pixels.Span[at] - tiled.Pixels.Span[at - 3] - (whole.Pixels.Span[at] - whole.Pixels.Span[at - 3]);
                    jumps[x] += Math.Abs(jump) / (3.0 * request.Height);
                }
            }
        }

        double largest = jumps.Max();
        int column = Array.IndexOf(jumps, largest);
        Assert.True(
            largest < 1,
            $"{psnr:F1} dB; column {column} jumps by {largest:F2} of 255, the mean column by {jumps.Average():F2}");
    }
}
