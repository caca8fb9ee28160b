using System.Runtime.InteropServices;
using MuseAtelier.Tests.Support;
using static System.FormattableString;

namespace MuseAtelier.Tests.Upscaling;

/// <summary>The networks of upscalers, computed in double precision straight from their definitions.</summary>
internal sealed class DirectUpscaler(RawCheckpoint weights)
{
    /// <summary>An image: channels over a plane.</summary>
    public sealed record Planes(int Channels, int Height, int Width, double[] Values)
    {
        public double At(int channel, int y, int x) => Values[(channel * Height + y) * Width + x];

        /// <summary>Asserts that a picture is this image.</summary>
        /// <param name="found">The picture.</param>
        /// <param name="allowed">The most levels of 255 by which a number may differ.</param>
        public void AssertIs(SourceImage found, double allowed)
        {
            Assert.Equal((Width, Height), (found.Width, found.Height));
            for (int i = 0; i < found.Pixels.Length; i++)
            {
                (int pixel, int channel) = Math.DivRem(i, Channels);
                double exact = 255 * Math.Clamp(At(channel, pixel / found.Width, pixel % found.Width), 0, 1);
                Assert.InRange(found.Pixels.Span[i], exact - allowed, exact + allowed);
            }
        }
    }

    /// <summary>An RRDB network under the names of Real-ESRGAN, to four times the size of what it reads.</summary>
    public Planes Rrdb(byte[] pixels, int width, int height, int unshuffle)
    {
        Planes first = Convolve(Unshuffle(FromPixels(pixels, width, height), unshuffle), "conv_first");
        Planes x = first;
        for (int block = 0; weights.Tensors.ContainsKey(Invariant($"body.{block}.rdb1.conv1.weight")); block++)
        {
            Planes y = x;
            for (int dense = 1; dense <= 3; dense++) y = Dense(y, Invariant($"body.{block}.rdb{dense}"));
            x = Combine(y, x, (a, b) => 0.2 * a + b);
        }

        x = Combine(Convolve(x, "conv_body"), first, (a, b) => a + b);
        x = Leaky(Convolve(Repeat(x, 2), "conv_up1"));
        x = Leaky(Convolve(Repeat(x, 2), "conv_up2"));
        return Convolve(Leaky(Convolve(x, "conv_hr")), "conv_last");
    }

    /// <summary>A compact network.</summary>
    public Planes Compact(byte[] pixels, int width, int height, int scale)
    {
        Planes image = FromPixels(pixels, width, height), x = image;
        for (int layer = 0; weights.Tensors.ContainsKey(Invariant($"body.{layer}.weight")); layer += 2)
        {
            x = Convolve(x, Invariant($"body.{layer}"));
            string slopes = Invariant($"body.{layer + 1}.weight");
            if (weights.Tensors.ContainsKey(slopes)) x = Parametric(x, slopes);
        }

        return Combine(Shuffle(x, scale), Repeat(image, scale), (a, b) => a + b);
    }

    private static Planes FromPixels(byte[] pixels, int width, int height) =>
        Make(3, height, width, (channel, y, x) => pixels[(y * width + x) * 3 + channel] / 255.0);

    private Planes Dense(Planes x, string key)
    {
        Planes all = x;
        for (int layer = 1; layer <= 4; layer++)
        {
            Planes y = Leaky(Convolve(all, Invariant($"{key}.conv{layer}")));
            all = new Planes(all.Channels + y.Channels, all.Height, all.Width, [.. all.Values, .. y.Values]);
        }

        return Combine(Convolve(all, $"{key}.conv5"), x, (a, b) => 0.2 * a + b);
    }

    private Planes Convolve(Planes x, string key)
    {
        float[] kernel = Floats($"{key}.weight"), bias = Floats($"{key}.bias");
        return Make(bias.Length, x.Height, x.Width, (output, row, column) =>
        {
            double sum = bias[output];
            for (int input = 0; input < x.Channels; input++)
            {
                for (int i = 0; i < 9; i++)
                {
                    int y = row + i / 3 - 1, z = column + i % 3 - 1;
                    if (y < 0 || z < 0 || y >= x.Height || z >= x.Width) continue;
                    sum += kernel[(output * x.Channels + input) * 9 + i] * x.At(input, y, z);
                }
            }

            return sum;
        });
    }

    private Planes Parametric(Planes x, string key)
    {
        float[] slopes = Floats(key);
        return Make(x.Channels, x.Height, x.Width, (channel, row, column) =>
            x.At(channel, row, column) is var value && value < 0 ? value * slopes[channel] : value);
    }

    private static Planes Leaky(Planes x) => x with { Values = Array.ConvertAll(x.Values, value => value < 0 ? 0.2 * value : value) };

    private static Planes Repeat(Planes x, int factor) => Make(
        x.Channels, x.Height * factor, x.Width * factor, (channel, row, column) => x.At(channel, row / factor, column / factor));

    private static Planes Shuffle(Planes x, int factor) => Make(
        x.Channels / (factor * factor), x.Height * factor, x.Width * factor,
        (channel, row, column) => x.At((channel * factor + row % factor) * factor + column % factor, row / factor, column / factor));

    private static Planes Unshuffle(Planes x, int factor) => Make(
        x.Channels * factor * factor, x.Height / factor, x.Width / factor, (channel, row, column) =>
        {
            (int rest, int right) = Math.DivRem(channel, factor);
            (int source, int down) = Math.DivRem(rest, factor);
            return x.At(source, row * factor + down, column * factor + right);
        });

    private static Planes Combine(Planes first, Planes second, Func<double, double, double> function) =>
        first with { Values = [.. first.Values.Zip(second.Values, function)] };

    private static Planes Make(int channels, int height, int width, Func<int, int, int, double> value)
    {
        var values = new double[channels * height * width];
        for (int i = 0; i < values.Length; i++) values[i] = value(i / (height * width), i / width % height, i % width);
        return new Planes(channels, height, width, values);
    }

    private float[] Floats(string name) => MemoryMarshal.Cast<byte, float>(weights.Tensors[name].Bytes).ToArray();
}
