using MuseAtelier.Checking;
using MuseAtelier.Decoding;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Decoding;

public sealed class VaeEncoderTests(TestAtelier miniature)
{
    private const int Width = 96, Height = 32, Channels = 4;

    [Fact]
    public void Encode_InTiles_IsNearlyTheWholeAndShowsNoSeam()
    {
        byte[] pixels = Waves(8 * Width, 8 * Height);
        using OpenedModel model = Open();
        var encoder = new VaeEncoder(model.Package, model.Sessions, model.Device);
        (float[] whole, float[] wholeVariance) = Encode(encoder, model, pixels, null);
        (float[] same, _) = Encode(encoder, model, pixels, new TilePlan(Height, Width, 1, 1));
        (float[] tiled, float[] tiledVariance) = Encode(encoder, model, pixels, new TilePlan(Height, 64, 1, 2));
        Assert.Equal(whole, same);
        Assert.NotEqual(whole, tiled);
        double scale = Deviation(whole);
        Assert.InRange(Difference(whole, tiled), 0, 0.1 * scale);
        Assert.InRange(Difference(wholeVariance, tiledVariance), 0, 0.1 * Deviation(wholeVariance));

        // The error of a column is never far from that of the column beside it.
        double[] errors = [.. Enumerable.Range(0, Width).Select(x => ColumnError(whole, tiled, x))];
        for (int x = 1; x < Width; x++) Assert.InRange(Math.Abs(errors[x] - errors[x - 1]), 0, 0.1 * scale);

        // The image in fp32 is the same as its bytes.
        float[] planes = new float[pixels.Length], mean = new float[whole.Length];
        for (int i = 0; i < pixels.Length; i++) planes[i % 3 * (pixels.Length / 3) + i / 3] = pixels[i] / 127.5f - 1;
        encoder.Encode(planes, Height, Width, mean, model.Options, TestContext.Current.CancellationToken);
        Assert.Equal(whole, mean);
    }

    [Fact]
    public void Encode_Cancelled_StopsAndEncodesAgain()
    {
        using OpenedModel model = Open();
        var encoder = new VaeEncoder(model.Package, model.Sessions, model.Device);
        byte[] pixels = Waves(8 * Width, 8 * Height);
        float[] mean = new float[Channels * Height * Width];
        Assert.Throws<OperationCanceledException>(() => encoder.Encode(
            pixels, Height, Width, new TilePlan(Height, 64, 1, 2), mean, default, model.Options, new CancellationToken(canceled: true)));
        (float[] again, _) = Encode(encoder, model, pixels, new TilePlan(Height, 64, 1, 2));
        Assert.True(Deviation(again) > 0);
    }

    [Fact]
    public void Blend_OfTiles_OfOnePlane_IsThePlane()
    {
        const int width = 40, height = 24;
        float[] plane = [.. Enumerable.Range(0, width * height).Select(i => (float)Math.Sin(i))], result = new float[plane.Length];
        var grid = new TileGrid(height, width, tileHeight: 20, tileWidth: 24);
        Assert.Equal(2 * 3, grid.Count);
        for (int i = 0; i < grid.Count; i++)
        {
            TileArea area = grid.AreaOf(i, scale: 1);
            float[] tile = new float[area.Height * area.Width];
            for (int y = 0; y < area.Height; y++)
                plane.AsSpan((area.Top + y) * width + area.Left, area.Width).CopyTo(tile.AsSpan(y * area.Width));
            TileGrid.Blend(tile, result, height, width, area);
        }

        for (int i = 0; i < plane.Length; i++) Assert.Equal(plane[i], result[i], 1e-6f);
    }

    private OpenedModel Open() =>
        OpenedModel.Open(miniature.Atelier.Model.Package, TestAtelier.Options, null, TestContext.Current.CancellationToken);

    private static (float[] Mean, float[] LogVariance) Encode(VaeEncoder encoder, OpenedModel model, byte[] pixels, TilePlan? tiles)
    {
        float[] mean = new float[Channels * Height * Width], logVariance = new float[mean.Length];
        encoder.Encode(pixels, Height, Width, tiles, mean, logVariance, model.Options, TestContext.Current.CancellationToken);
        return (mean, logVariance);
    }

    private static byte[] Waves(int width, int height)
    {
        byte[] pixels = new byte[3 * width * height];
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                for (int channel = 0; channel < 3; channel++)
                    pixels[3 * (y * width + x) + channel] = (byte)(127 + 100 * Math.Sin(x / 37.0 + channel) * Math.Cos(y / 23.0));
        return pixels;
    }

    private static double Difference(float[] one, float[] other) =>
        Math.Sqrt(one.Zip(other, (a, b) => ((double)a - b) * (a - b)).Average());

    private static double Deviation(float[] values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }

    private static double ColumnError(float[] one, float[] other, int column)
    {
        IEnumerable<int> places = Enumerable.Range(0, Channels * Height).Select(row => row * Width + column);
        return places.Average(i => Math.Abs((double)one[i] - other[i]));
    }
}
