namespace MuseAtelier.Imaging;

/// <summary>
/// Pillow's Gaussian blur of 8 bits a channel: three box blurs of fractional radius in each direction (src/libImaging/BoxBlur.c,
/// ImagingGaussianBlur). Its time does not depend on the radius.
/// </summary>
internal static class BoxBlur
{
    private const int Passes = 3;
    private const int Shift = 24;

    /// <summary>Blurs a picture.</summary>
    /// <param name="pixels">[height, width, channels].</param>
    /// <param name="channels">The number of interleaved channels.</param>
    /// <param name="width">Width in px.</param>
    /// <param name="height">Height in px.</param>
    /// <param name="deviation">The standard deviation in px; 0 copies the picture.</param>
    /// <returns>[height, width, channels].</returns>
    public static byte[] Gaussian(byte[] pixels, int channels, int width, int height, float deviation)
    {
        byte[] result = pixels.AsSpan().ToArray();
        if (deviation == 0) return result;
        float radius = Radius(deviation);
        byte[] line = new byte[Math.Max(width, height)];
        byte[] blurred = new byte[line.Length];
        for (int channel = 0; channel < channels; channel++)
        {
            for (int y = 0; y < height; y++)
                BlurLine(result.AsSpan(y * width * channels + channel), channels, line.AsSpan(0, width), blurred, radius);
            for (int x = 0; x < width; x++)
                BlurLine(result.AsSpan(x * channels + channel), channels * width, line.AsSpan(0, height), blurred, radius);
        }

        return result;
    }

    // Gwosdek and others, "Theoretical foundations of Gaussian convolution by extended box filtering", in Pillow's single precision.
    private static float Radius(float deviation)
    {
        float variance = deviation * deviation / Passes;
        float length = (float)Math.Sqrt(12.0 * variance + 1.0);
        float whole = (float)Math.Floor((length - 1.0) / 2.0);
        float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
        part /= 6 * (variance - (whole + 1) * (whole + 1));
        return whole + part;
    }

    // A line is a row or a column of one channel; its pixels lie a step apart.
    private static void BlurLine(Span<byte> pixels, int step, Span<byte> line, byte[] blurred, float radius)
    {
        for (int at = 0; at < line.Length; at++) line[at] = pixels[at * step];
        Span<byte> to = blurred.AsSpan(0, line.Length);
        for (int pass = 0; pass < Passes; pass++)
        {
            BlurOnce(line, to, radius);
            to.CopyTo(line);
        }

        for (int at = 0; at < line.Length; at++) pixels[at * step] = line[at];
    }

    // The pixel at the edge stands for those beyond it. The two pixels just outside of the whole radius count in part.
    private static void BlurOnce(ReadOnlySpan<byte> from, Span<byte> to, float radius)
    {
        int whole = (int)radius;
        uint weight = (uint)((1 << Shift) / (radius * 2 + 1));
        uint edgeWeight = ((1u << Shift) - (uint)(whole * 2 + 1) * weight) / 2;
        int last = from.Length - 1;
        uint sum = 0;
        for (int at = -whole - 1; at < whole; at++) sum += from[Math.Clamp(at, 0, last)];
        for (int at = 0; at <= last; at++)
        {
            byte leaving = from[Math.Max(at - whole - 1, 0)];
            sum += from[Math.Min(at + whole, last)];
            sum -= leaving;
            uint total = sum * weight + (uint)(leaving + from[Math.Min(at + whole + 1, last)]) * edgeWeight;
            to[at] = (byte)((total + (1u << (Shift - 1))) >> Shift);
        }
    }
}
