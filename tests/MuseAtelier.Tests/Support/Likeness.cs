namespace MuseAtelier.Tests.Support;

/// <summary>How alike pictures are.</summary>
internal static class Likeness
{
    /// <summary>Peak signal-to-noise ratio of bytes, in dB; infinite where they are equal.</summary>
    public static double Psnr(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        Assert.Equal(first.Length, second.Length);
        double squares = 0;
        for (int i = 0; i < first.Length; i++) squares += (first[i] - second[i]) * (first[i] - second[i]);
        return 10 * Math.Log10(255.0 * 255 * first.Length / squares);
    }

    /// <summary>||a - b|| / ||b||; NaN where a number is not finite.</summary>
    public static double RelativeError(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        Assert.Equal(b.Length, a.Length);
        double difference = 0, norm = 0;
        for (int i = 0; i < a.Length; i++)
        {
            difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
            norm += (double)b[i] * b[i];
        }

        return Math.Sqrt(difference / norm);
    }

    /// <summary>Standard deviation of bytes: a picture of one colour has none.</summary>
    public static double Contrast(ReadOnlySpan<byte> pixels)
    {
        double sum = 0, squares = 0;
        foreach (byte pixel in pixels) (sum, squares) = (sum + pixel, squares + pixel * pixel);
        double mean = sum / pixels.Length;
        return Math.Sqrt(squares / pixels.Length - mean * mean);
    }
}
