using MuseAtelier.Imaging;

namespace MuseAtelier.Tests.SourceImages;

public sealed class MaskBlurTests
{
    [Theory]
    [InlineData(1, 7)]
    [InlineData(4, 21)]
    [InlineData(64, 321)]
    public void Kernel_OfADeviation_HasTheLengthOfAutomatic1111AndSumsUpToOne(int deviation, int length)
    {
        ushort[] kernel = GaussianBlur.Kernel(deviation);
        Assert.Equal(length, kernel.Length);
        Assert.Equal(256, kernel.Sum(weight => weight));
        Assert.Equal(kernel, Enumerable.Reverse(kernel));
        Assert.Equal(length, GaussianBlur.Reach(deviation) * 2 + 1);
    }

    [Fact]
    public void Apply_OfNoise_IsTheSumOverAMirroredPicture()
    {
        const int width = 30, height = 17, deviation = 4;
        byte[] mask = ResamplerTests.Noise(width * height);
        byte[] blurred = GaussianBlur.Apply(mask, width, height, deviation);
        double[] kernel = [.. Enumerable.Range(-10, 21).Select(at => Math.Exp(-at * at / (2.0 * deviation * deviation)))];
        double total = kernel.Sum();
        for (int at = 0; at < mask.Length; at++)
        {
            double sum = 0;
            for (int y = -10; y <= 10; y++)
            {
                for (int x = -10; x <= 10; x++)
                {
                    int from = Mirror(at / width + y, height) * width + Mirror(at % width + x, width);
                    sum += kernel[y + 10] * kernel[x + 10] * mask[from] / (total * total);
                }
            }

            Assert.InRange(blurred[at], sum - 2.5, sum + 2.5);
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 300)]
    public void Apply_OfAMaskThatIsSmallerThanTheBlur_KeepsItsColour(int width, int height)
    {
        byte[] mask = new byte[width * height];
        mask.AsSpan().Fill(255);
        Assert.Equal(mask, GaussianBlur.Apply(mask, width, height, 64));
    }

    [Fact]
    public void Apply_OfAStep_ReachesNoFurtherThanItSays()
    {
        const int width = 100;
        byte[] mask = [.. Enumerable.Range(0, width).Select(x => x < 50 ? (byte)0 : (byte)255)];
        byte[] blurred = GaussianBlur.Apply([.. mask], width, 1, 4);
        Assert.Equal(mask[..(50 - GaussianBlur.Reach(4))], blurred[..(50 - GaussianBlur.Reach(4))]);
        Assert.Equal(mask[(50 + GaussianBlur.Reach(4))..], blurred[(50 + GaussianBlur.Reach(4))..]);
        Assert.InRange(blurred[45], 1, 127);
        Assert.Same(mask, GaussianBlur.Apply(mask, width, 1, 0));
    }

    [Fact]
    public void Gaussian_OfALine_HasTheDeviation()
    {
        const int side = 101;
        // In the second channel of four.
        byte[] line = new byte[side * side * 4];
        for (int y = 0; y < side; y++) line[(y * side + 50) * 4 + 1] = 255;
        byte[] blurred = BoxBlur.Gaussian(line, side, side, 4);
        Assert.All(blurred.Index(), each => Assert.True(each.Index % 4 == 1 || each.Item == 0));
        double[] row = [.. Enumerable.Range(0, side).Select(x => (double)blurred[(50 * side + x) * 4 + 1])];
        double variance = row.Select((value, x) => value * (x - 50) * (x - 50)).Sum() / row.Sum();
        Assert.InRange(Math.Sqrt(variance), 3.5, 4.5);
        Assert.InRange(row.Sum(), 235, 275);
    }

    [Fact]
    public void Fill_OfAHole_TakesTheColoursAroundItAndKeepsTheRest()
    {
        const int width = 64, height = 64;
        byte[] pixels = new byte[width * height * 3], mask = new byte[width * height];
        for (int at = 0; at < mask.Length; at++)
        {
            (int x, int y) = (at % width, at / width);
            bool isHole = x is >= 24 and < 40 && y is >= 24 and < 40;
            // Red on the left, blue on the right, green in the hole.
            pixels[at * 3 + (isHole ? 1 : x < 32 ? 0 : 2)] = 255;
            mask[at] = isHole ? (byte)255 : (byte)0;
        }

        byte[] filled = MaskedFill.Fill(pixels, mask, width, height);
        for (int at = 0; at < mask.Length; at++)
        {
            if (mask[at] == 0) Assert.Equal(pixels[(at * 3)..(at * 3 + 3)], filled[(at * 3)..(at * 3 + 3)]);
            else Assert.Equal(0, filled[at * 3 + 1]);
        }

        int left = (32 * width + 25) * 3, right = (32 * width + 38) * 3;
        Assert.True(filled[left] > filled[left + 2] && filled[right] < filled[right + 2]);
        mask.AsSpan().Fill(255);
        Assert.All(MaskedFill.Fill(pixels, mask, width, height), value => Assert.Equal(0, value));
    }

    private static int Mirror(int place, int size)
    {
        while (place < 0 || place >= size) place = place < 0 ? -place : 2 * (size - 1) - place;
        return place;
    }
}
