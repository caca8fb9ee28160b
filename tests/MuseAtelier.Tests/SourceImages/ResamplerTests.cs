using MuseAtelier.Imaging;

namespace MuseAtelier.Tests.SourceImages;

public sealed class ResamplerTests
{
    // Upper left quarters of the results for four squares, two of them light (Pillow, Tests/test_image_resample.py,
    // TestImagingCoreResampleAccuracy). The other quarters mirror them, two of them inverted.
    [Theory]
    [InlineData("Bilinear", 8, 4, "e1c9 c9b7")]
    [InlineData("Bicubic", 12, 6, "e1e3d4 e3e5d6 d4d6c9")]
    [InlineData("Lanczos", 16, 8, "e1e0e4d7 e0dfe3d6 e4e3e7da d7d6d9ce")]
    [InlineData("Bilinear", 2, 4, "e1b0 b098")]
    [InlineData("Bicubic", 4, 8, "e1e5eeb9 e5e9f3bc eef3fdc1 b9bcc1a2")]
    [InlineData("Lanczos", 6, 12, "e1e0dbedf5b8 e0dfdaecf3b7 dbdbd6e7eeb5 edece6fbffbf f5f4eeffffc4 b8b7b4bfc4a0")]
    public void Resize_OfSquares_IsPillows(string filter, int side, int newSide, string quarter)
    {
        byte[] pixels = new byte[side * side * 3];
        for (int at = 0; at < pixels.Length; at++)
            pixels[at] = (at / 3 % side < side / 2) == (at / 3 / side < side / 2) ? (byte)0xE1 : (byte)(255 - 0xE1);
        byte[] result = new byte[newSide * newSide * 3];
        Resampler.Resize(pixels, 3, side, side, result, newSide, newSide, Enum.Parse<ResampleFilter>(filter));
        string[] rows = quarter.Split(' ');
        for (int y = 0; y < newSide; y++)
        {
            for (int x = 0; x < newSide; x++)
            {
                (int column, int row) = (Math.Min(x, newSide - 1 - x), Math.Min(y, newSide - 1 - y));
                byte value = Convert.FromHexString(rows[row])[column];
                byte expected = column == x == (row == y) ? value : (byte)(255 - value);
                Assert.Equal((x, y, expected), (x, y, result[(y * newSide + x) * 3 + 1]));
            }
        }
    }

    [Theory]
    [InlineData("Bilinear", 37, 29, 16, 41)]
    [InlineData("Bicubic", 37, 29, 90, 8)]
    [InlineData("Lanczos", 37, 29, 64, 64)]
    [InlineData("Lanczos", 200, 3, 9, 50)]
    public void Resize_OfNoise_IsTheSumInDoublePrecision(string filter, int width, int height, int newWidth, int newHeight)
    {
        byte[] pixels = Noise(width * height * 3);
        byte[] result = new byte[newWidth * newHeight * 3];
        var kind = Enum.Parse<ResampleFilter>(filter);
        Resampler.Resize(pixels, 3, width, height, result, newWidth, newHeight, kind);
        double[][] columns = Weights(width, newWidth, kind);
        double[][] rows = Weights(height, newHeight, kind);
        for (int at = 0; at < result.Length; at++)
        {
            (int x, int y, int channel) = (at / 3 % newWidth, at / 3 / newWidth, at % 3);
            double sum = 0;
            for (int row = 0; row < height; row++)
            {
                double line = 0;
                for (int column = 0; column < width; column++)
                    line += columns[x][column] * pixels[(row * width + column) * 3 + channel];
                sum += rows[y][row] * Math.Clamp(line, 0, 255);
            }

            // The rows are rounded before the columns are summed.
            Assert.InRange(result[at], Math.Clamp(sum, 0, 255) - 1.5, Math.Clamp(sum, 0, 255) + 1.5);
        }
    }

    [Fact]
    public void Resize_ToTheNearest_TakesPixelsAtTheirMiddles()
    {
        byte[] pixels = [.. Enumerable.Range(0, 5 * 4).Select(value => (byte)value)];
        byte[] smaller = new byte[2 * 2];
        Resampler.Resize(pixels, 1, 5, 4, smaller, 2, 2, ResampleFilter.Nearest);
        Assert.Equal<byte>([6, 8, 16, 18], smaller);
        byte[] larger = new byte[10 * 4];
        Resampler.Resize(pixels, 1, 5, 4, larger, 10, 4, ResampleFilter.Nearest);
        Assert.Equal(Enumerable.Range(0, 40).Select(at => pixels[at / 2]), larger);
    }

    [Fact]
    public void Resize_OfAWindow_IsAPartOfTheWhole()
    {
        byte[] pixels = Noise(40 * 30);
        byte[] whole = new byte[64 * 100], part = new byte[10 * 20];
        Resampler.Resize(pixels, 1, 40, 30, whole, 64, 100, ResampleFilter.Lanczos);
        var columns = ResampleAxis.Of(40, 64, 50, 10, ResampleFilter.Lanczos);
        Resampler.Resize(pixels, 1, part, columns, ResampleAxis.Of(30, 100, 33, 20, ResampleFilter.Lanczos));
        Assert.Equal(new PixelRectangle(50, 33, 10, 20).Crop(whole, 1, 64), part);
    }

    [Theory]
    [InlineData(65_535, 1, 8, 8)]
    [InlineData(1, 65_535, 8, 8)]
    [InlineData(1, 1, 512, 256)]
    public void Resize_OfOneColour_KeepsIt(int width, int height, int newWidth, int newHeight)
    {
        byte[] pixels = new byte[width * height];
        pixels.AsSpan().Fill(77);
        byte[] result = new byte[newWidth * newHeight];
        Resampler.Resize(pixels, 1, width, height, result, newWidth, newHeight, ResampleFilter.Lanczos);
        Assert.All(result, value => Assert.Equal(77, value));
    }

    [Fact]
    public void Resize_OfASpanOfAnotherLength_Throws() =>
        Assert.Throws<ArgumentException>(() => Resampler.Resize(new byte[11], 3, 2, 2, new byte[3], 1, 1, ResampleFilter.Lanczos));

    internal static byte[] Noise(int length)
    {
        byte[] noise = new byte[length];
        new Random(19).NextBytes(noise);
        return noise;
    }

    // The weights of all old pixels for each new one, by the formulas of the filters.
    private static double[][] Weights(int size, int newSize, ResampleFilter filter)
    {
        double scale = (double)size / newSize, widening = Math.Max(1, scale);
        double reach = widening * (filter switch { ResampleFilter.Bilinear => 1, ResampleFilter.Bicubic => 2, _ => 3 });
        return [.. Enumerable.Range(0, newSize).Select(at =>
        {
            double centre = (at + 0.5) * scale;
            double[] weights = [.. Enumerable.Range(0, size).Select(pixel =>
                pixel < Math.Floor(centre - reach + 0.5) || pixel >= Math.Floor(centre + reach + 0.5) ? 0
                    : Value(filter, Math.Abs(pixel + 0.5 - centre) / widening))];
            return weights.Select(weight => weight / weights.Sum()).ToArray();
        })];
    }

    private static double Value(ResampleFilter filter, double x) => filter switch
    {
        ResampleFilter.Bilinear => x < 1 ? 1 - x : 0,
        ResampleFilter.Bicubic => x < 1 ? 1.5 * x * x * x - 2.5 * x * x + 1 : x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2 : 0,
        _ => x == 0 ? 1 : x < 3 ? 3 * Math.Sin(Math.PI * x) * Math.Sin(Math.PI * x / 3) / (Math.PI * Math.PI * x * x) : 0,
    };
}
