using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

public sealed class LatentPreviewerTests
{
    [Fact]
    public void Paint_OfZeros_IsTheOffset()
    {
        byte[] pixels = new byte[6];
        LatentPreviewer.Paint(new float[8], 2, pixels, 6);
        Assert.Equal([150, 140, 130, 150, 140, 130], pixels);
    }

    [Fact]
    public void Paint_OfPlanes_InterleavesPixels()
    {
        byte[] pixels = new byte[6];
        LatentPreviewer.Paint([1, 0, 0, 1, 0, 0, 0, 0], 2, pixels, 6); // first pixel has channel 0, second channel 1
        Assert.Equal([210, 200, 190, 90, 135, 140], pixels);
    }

    [Fact]
    public void Paint_OfTheMiniaturesLatents_HasTheColoursOfTheirPicture()
    {
        GoldenFile golden = GoldenFiles.Miniature;
        int[] shape = golden.Shape("run.latents"); // [steps, 1, 4, height, width]
        (int height, int width) = (shape[3], shape[4]);
        float[] latents = golden.Floats("run.latents")[^(LatentPreviewer.Channels * height * width)..];
        float[] picture = golden.Floats("run.image"); // [1, 3, 8 height, 8 width] in -1 to 1
        double own = Error(LatentColours.Miniature), others = Error(LatentColours.Sdxl);
        Assert.InRange(own, 0, 30);
        Assert.InRange(others, 2 * own, 255);

        double Error(LatentColours colours)
        {
            byte[] pixels = new byte[3 * height * width];
            LatentPreviewer.Paint(latents, width, pixels, 3 * width, colours);
            return Enumerable.Range(0, pixels.Length).Average(i => Math.Abs(pixels[i] - Shade(i % 3, i / 3 / width, i / 3 % width)));
        }

        // The mean of the 8x8 pixels that a latent stands for.
        double Shade(int colour, int y, int x) => Enumerable.Range(0, 64).Average(
            i => picture[((colour * 8 * height) + (8 * y) + (i / 8)) * 8 * width + (8 * x) + (i % 8)] * 127.5 + 127.5);
    }

    [Fact]
    public void Paint_OfExtremes_StaysInRange()
    {
        byte[] pixels = new byte[12];
        LatentPreviewer.Paint([1e30f, -1e30f, float.NaN, float.PositiveInfinity, .. new float[12]], 4, pixels, 12);
        Assert.Equal([255, 255, 255, 0, 0, 0, 0, 0, 0], pixels[..9]);
    }

    // Rows that are wider than a vector, and no multiple of it.
    [Fact]
    public void Paint_OfWideRows_IsTheFormulaForEachPixel()
    {
        const int width = 37, height = 2, area = width * height;
        var random = new Random(3);
        float[] latents = [.. Enumerable.Range(0, LatentPreviewer.Channels * area).Select(_ => (float)(random.NextDouble() * 8 - 4))];
        (latents[1], latents[2], latents[3]) = (float.NaN, 1e30f, -1e30f);
        byte[] pixels = new byte[3 * area];
        LatentPreviewer.Paint(latents, width, pixels, 3 * width);
        float[] f = LatentColours.Sdxl.Factors;
        for (int i = 0; i < pixels.Length; i++)
        {
            (int pixel, int first) = (i / 3, i % 3 * (LatentPreviewer.Channels + 1));
            float value = f[first] * latents[pixel] + f[first + 1] * latents[area + pixel] + f[first + 2] * latents[2 * area + pixel]
                + f[first + 3] * latents[3 * area + pixel] + f[first + 4];
            Assert.Equal((byte)Math.Clamp((int)(value + 0.5f), 0, 255), pixels[i]);
        }
    }

    [Fact]
    public void Paint_IntoAPlaceOfASheet_LeavesTheOthers()
    {
        var sheet = new PreviewGrid(3, height: 2, width: 1);
        LatentPreview empty = sheet.Capture();
        Assert.Equal((2, 4, 2), (empty.Width, empty.Height, empty.Columns));
        sheet.Paint(1, new float[8]);
        LatentPreview second = sheet.Capture();
        Assert.Equal([0, 150, 0, 150, 0, 0, 0, 0], Reds(second));
        sheet.Paint(2, new float[8]);
        Assert.Equal([0, 150, 0, 150, 150, 0, 150, 0], Reds(sheet.Capture()));
        // What was captured before stays as it was.
        Assert.Equal([0, 150, 0, 150, 0, 0, 0, 0], Reds(second));
        Assert.All(empty.Pixels.ToArray(), value => Assert.Equal(0, value));

        static IEnumerable<int> Reds(LatentPreview preview) => preview.Pixels.ToArray().Chunk(3).Select(pixel => (int)pixel[0]);
    }

    [Fact]
    public void Capture_OfAGrid_AllocatesItsPixelsAndLittleElse()
    {
        var grid = new PreviewGrid(4, height: 64, width: 64);
        grid.Capture();
        long before = GC.GetAllocatedBytesForCurrentThread();
        LatentPreview preview = grid.Capture();
        long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(bytes - preview.Pixels.Length, 0, 256);
    }

    [Fact]
    public void Constructor_OfAPreviewWithPixelsOfAnotherSize_Throws() =>
        Assert.Throws<ArgumentException>(() => new LatentPreview(4, 4, new byte[47]));

    [Fact]
    public void Paint_OfNoWholeRows_Throws() =>
        Assert.Throws<ArgumentException>(() => LatentPreviewer.Paint(new float[9], 2, new byte[6], 6));

    [Fact]
    public void Paint_IntoTooLittle_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => LatentPreviewer.Paint(new float[8], 2, new byte[5], 6));
}
