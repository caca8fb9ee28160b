namespace MuseAtelier.Imaging;

/// <summary>
/// Softens masks as AUTOMATIC1111 does (modules/processing.py, StableDiffusionProcessingImg2Img.init): OpenCV's Gaussian blur of the rows
/// and then of the columns. OpenCV blurs 8 bits in fixed point (modules/imgproc/src/smooth.dispatch.cpp, getGaussianKernelFixedPoint_ED),
/// and mirrors the picture at its edges without repeating the edge.
/// </summary>
internal static class GaussianBlur
{
    // The weights of a kernel add up to this number.
    private const int One = 256;

    /// <summary>The number of pixels to each side that a blur reaches.</summary>
    /// <param name="deviation">The standard deviation in px, from 0.</param>
    public static int Reach(int deviation) => (int)(2.5 * deviation + 0.5);

    /// <summary>Blurs a mask.</summary>
    /// <param name="mask">[height, width].</param>
    /// <param name="width">Width in px.</param>
    /// <param name="height">Height in px.</param>
    /// <param name="deviation">The standard deviation in px; 0 leaves the mask as it is.</param>
    /// <returns>[height, width]; the mask itself where nothing is blurred.</returns>
    public static byte[] Apply(byte[] mask, int width, int height, int deviation)
    {
        if (deviation == 0) return mask;
        int[] kernel = Kernel(deviation);
        byte[] result = new byte[mask.Length];
        int[] columns = Mirrored(width, kernel.Length / 2);
        for (int y = 0; y < height; y++)
            BlurRow(mask.AsSpan(y * width, width), result.AsSpan(y * width, width), kernel, columns);
        BlurColumns(result, width, height, kernel);
        return result;
    }

    /// <summary>The weights of a blur in units of 1/256. The error of rounding is passed on from each weight to the next.</summary>
    /// <param name="deviation">The standard deviation in px, from 1.</param>
    public static int[] Kernel(int deviation)
    {
        int reach = Reach(deviation);
        double[] exact = new double[reach];
        double sum = 0;
        for (int at = 0; at < reach; at++)
        {
            double distance = reach - at;
            sum += exact[at] = Math.Exp(-0.5 * distance * distance / ((double)deviation * deviation));
        }

        int[] kernel = new int[2 * reach + 1];
        double error = 0;
        int rest = One;
        for (int at = 0; at < reach; at++)
        {
            double wanted = exact[at] / (2 * sum + 1) * One + error;
            int weight = (int)Math.Round(wanted, MidpointRounding.ToEven);
            error = wanted - weight;
            kernel[at] = kernel[^(at + 1)] = weight;
            rest -= 2 * weight;
        }

        kernel[reach] = rest;
        return kernel;
    }

    private static void BlurRow(ReadOnlySpan<byte> from, Span<byte> to, int[] kernel, int[] columns)
    {
        for (int x = 0; x < to.Length; x++)
        {
            int sum = One / 2;
            for (int tap = 0; tap < kernel.Length; tap++) sum += from[columns[x + tap]] * kernel[tap];
            to[x] = (byte)(sum / One);
        }
    }

    // The rows above the current one are overwritten, so the original ones are kept as far as the blur reaches.
    private static void BlurColumns(byte[] mask, int width, int height, int[] kernel)
    {
        int reach = kernel.Length / 2;
        int kept = Math.Min(height, 2 * reach + 1);
        int[] rows = Mirrored(height, reach);
        byte[] window = new byte[kept * width];
        int[] sums = new int[width];
        int ready = 0;
        for (int y = 0; y < height; y++)
        {
            for (; ready < Math.Min(height, y + reach + 1); ready++)
                mask.AsSpan(ready * width, width).CopyTo(window.AsSpan(ready % kept * width));
            sums.AsSpan().Fill(One / 2);
            for (int tap = 0; tap < kernel.Length; tap++)
            {
                ReadOnlySpan<byte> row = window.AsSpan(rows[y + tap] % kept * width, width);
                for (int x = 0; x < width; x++) sums[x] += row[x] * kernel[tap];
            }

            Span<byte> to = mask.AsSpan(y * width, width);
            for (int x = 0; x < width; x++) to[x] = (byte)(sums[x] / One);
        }
    }

    // For the places from -reach to size + reach the places within the picture.
    private static int[] Mirrored(int size, int reach)
    {
        int[] places = new int[size + 2 * reach];
        int period = Math.Max(1, 2 * (size - 1));
        for (int at = 0; at < places.Length; at++)
        {
            int place = Math.Abs(at - reach) % period;
            places[at] = size == 1 ? 0 : Math.Min(place, period - place);
        }

        return places;
    }
}
