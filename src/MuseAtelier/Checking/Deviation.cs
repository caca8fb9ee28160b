namespace MuseAtelier.Checking;

/// <summary>Accumulates the differences of values from their reference, part by part, so that neither must be kept.</summary>
internal sealed class Deviation
{
    private double _difference;
    private double _reference;
    private long _count;

    /// <summary>||ours - reference|| / ||reference||; NaN if ours are not finite or nothing was compared.</summary>
    public double Relative
    {
        get
        {
            if (_count == 0) return double.NaN;
            return _difference == 0 ? 0 : Math.Sqrt(_difference / _reference);
        }
    }

    /// <summary>Peak signal-to-noise ratio in dB of bytes, whose peak is 255.</summary>
    public double Psnr => PsnrAt(255);

    /// <summary>Peak signal-to-noise ratio in dB: +infinity if equal, NaN if ours are not finite or nothing was compared.</summary>
    /// <param name="peak">The assumed largest value, or the width of the range of values.</param>
    public double PsnrAt(double peak) => _count == 0 ? double.NaN : 10 * Math.Log10(peak * peak * _count / _difference);

    public static Deviation Of(ReadOnlySpan<float> ours, ReadOnlySpan<float> reference)
    {
        var deviation = new Deviation();
        deviation.Add(ours, reference);
        return deviation;
    }

    public void Add(ReadOnlySpan<float> ours, ReadOnlySpan<float> reference)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(ours.Length, reference.Length);
        for (int i = 0; i < ours.Length; i++)
        {
            double difference = (double)ours[i] - reference[i];
            _difference += difference * difference;
            _reference += (double)reference[i] * reference[i];
        }

        _count += ours.Length;
    }

    public static Deviation Of(ReadOnlySpan<byte> ours, ReadOnlySpan<byte> reference)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(ours.Length, reference.Length);
        var deviation = new Deviation { _count = ours.Length };
        for (int i = 0; i < ours.Length; i++)
        {
            int difference = ours[i] - reference[i];
            deviation._difference += difference * difference;
            deviation._reference += reference[i] * reference[i];
        }

        return deviation;
    }

    /// <summary>Adds a picture's bytes. Converts the reference to bytes in the same way as a picture.</summary>
    /// <param name="pixels">[h, w, 3] interleaved.</param>
    /// <param name="image">[3, h, w], -1 to 1.</param>
    public void AddPicture(ReadOnlySpan<byte> pixels, ReadOnlySpan<float> image)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(pixels.Length, image.Length);
        int plane = image.Length / 3;
        for (int i = 0; i < pixels.Length; i++)
        {
            double expected = Math.Round((Math.Clamp(image[i % 3 * plane + i / 3], -1, 1) + 1) * 127.5);
            _difference += (pixels[i] - expected) * (pixels[i] - expected);
            _reference += expected * expected;
        }

        _count += pixels.Length;
    }
}
