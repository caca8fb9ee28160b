using MuseAtelier.Diffusion;

namespace MuseAtelier.Tests.Diffusion;

public sealed class LatentPreviewerTests
{
    [Fact]
    public void Paint_OfZeros_IsTheOffset()
    {
        byte[] pixels = new byte[6];
        LatentPreviewer.Paint(new float[8], pixels);
        Assert.Equal([150, 140, 130, 150, 140, 130], pixels);
    }

    [Fact]
    public void Paint_OfPlanes_InterleavesPixels()
    {
        byte[] pixels = new byte[6];
        LatentPreviewer.Paint([1, 0, 0, 1, 0, 0, 0, 0], pixels); // first pixel has channel 0, second channel 1
        Assert.Equal([210, 200, 190, 90, 135, 140], pixels);
    }

    [Fact]
    public void Paint_OfExtremes_StaysInRange()
    {
        byte[] pixels = new byte[12];
        LatentPreviewer.Paint([1e30f, -1e30f, float.NaN, float.PositiveInfinity, .. new float[12]], pixels);
        Assert.Equal([255, 255, 255, 0, 0, 0, 0, 0, 0], pixels[..9]);
    }

    [Fact]
    public void Paint_IntoTheWrongSize_Throws() => Assert.Throws<ArgumentException>(() => LatentPreviewer.Paint(new float[8], new byte[5]));
}
