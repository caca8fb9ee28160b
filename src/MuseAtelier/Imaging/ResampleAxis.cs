namespace MuseAtelier.Imaging;

/// <summary>
/// The weights by which a row or a column of pixels is scaled, or a window of the scaled one: for each new pixel the first old one, and the
/// weights from there on, in fixed point (Pillow, src/libImaging/Resample.c, precompute_coeffs and normalize_coeffs_8bpc).
/// </summary>
internal sealed class ResampleAxis
{
    /// <summary>The bits behind the point of a weight. Sums of weighted bytes have two bits to spare.</summary>
    public const int PrecisionBits = 32 - 8 - 2;

    private readonly int[] _starts;
    private readonly int[][] _weights;

    private ResampleAxis(int size, int[] starts, int[][] weights)
    {
        Size = size;
        _starts = starts;
        _weights = weights;
        Longest = weights.Max(each => each.Length);
    }

    /// <summary>The number of old pixels.</summary>
    public int Size { get; }

    /// <summary>The number of new pixels.</summary>
    public int Count => _starts.Length;

    /// <summary>The most old pixels from which a new one is computed.</summary>
    public int Longest { get; }

    /// <summary>Whether each new pixel is an old one, unchanged.</summary>
    public bool IsCopy { get; private init; }

    /// <summary>Computes the weights.</summary>
    /// <param name="size">The number of old pixels.</param>
    /// <param name="newSize">The number of new pixels.</param>
    /// <param name="filter">The filter; not <see cref="ResampleFilter.Nearest"/>.</param>
    public static ResampleAxis Of(int size, int newSize, ResampleFilter filter) => Of(size, newSize, 0, newSize, filter);

    /// <summary>Computes the weights of a window of the new pixels.</summary>
    /// <param name="size">The number of old pixels.</param>
    /// <param name="newSize">The number of new pixels, of which the window is a part.</param>
    /// <param name="first">The first pixel of the window.</param>
    /// <param name="count">The number of pixels of the window.</param>
    /// <param name="filter">The filter; not <see cref="ResampleFilter.Nearest"/>.</param>
    public static ResampleAxis Of(int size, long newSize, long first, int count, ResampleFilter filter)
    {
        int[] starts = new int[count];
        int[][] weights = new int[count][];
        bool isCopy = size == newSize;
        int[] whole = [1 << PrecisionBits];
        double scale = (double)size / newSize;
        for (int at = 0; at < count; at++)
        {
            if (isCopy) (starts[at], weights[at]) = ((int)(first + at), whole);
            else (starts[at], weights[at]) = Weigh(size, (first + at + 0.5) * scale, Math.Max(scale, 1), filter);
        }

        return new ResampleAxis(size, starts, weights) { IsCopy = isCopy };
    }

    /// <summary>The first old pixel from which a new one is computed. It never decreases from one new pixel to the next.</summary>
    public int Start(int at) => _starts[at];

    /// <summary>The weights of the old pixels from <see cref="Start"/> on.</summary>
    public ReadOnlySpan<int> Weights(int at) => _weights[at];

    private static (int Start, int[] Weights) Weigh(int size, double centre, double filterScale, ResampleFilter filter)
    {
        double support = Support(filter) * filterScale;
        int start = Math.Max(0, (int)(centre - support + 0.5));
        int end = Math.Min(size, (int)(centre + support + 0.5));
        double[] exact = new double[end - start];
        double sum = 0;
        double step = 1 / filterScale;
        for (int tap = 0; tap < exact.Length; tap++) sum += exact[tap] = Value(filter, (tap + start - centre + 0.5) * step);
        int[] weights = new int[exact.Length];
        for (int tap = 0; tap < weights.Length; tap++)
        {
            double weight = (sum == 0 ? exact[tap] : exact[tap] / sum) * (1 << PrecisionBits);
            weights[tap] = (int)(weight < 0 ? weight - 0.5 : weight + 0.5);
        }

        return (start, weights);
    }

    private static double Support(ResampleFilter filter) => filter switch
    {
        ResampleFilter.Bilinear => 1,
        ResampleFilter.Bicubic => 2,
        ResampleFilter.Lanczos => 3,
        _ => throw new ArgumentOutOfRangeException(nameof(filter), filter, null),
    };

    private static double Value(ResampleFilter filter, double x) => filter switch
    {
        ResampleFilter.Bilinear => Math.Max(0, 1 - Math.Abs(x)),
        ResampleFilter.Bicubic => Cubic(Math.Abs(x)),
        _ => x is >= -3 and < 3 ? Sinc(x) * Sinc(x / 3) : 0,
    };

    private static double Cubic(double x)
    {
        const double a = -0.5;
        if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    }

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(x * Math.PI) / (x * Math.PI);
}
