using System.Numerics;

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
        int first = mask.AsSpan().IndexOfAnyExcept((byte)0);
        if (first < 0) return mask;
        // Rows that are empty and beyond the blur's reach stay so. What is blurred has empty rows at its ends, unless the mask ends there.
        int last = mask.AsSpan().LastIndexOfAnyExcept((byte)0);
        int reach = Reach(deviation);
        int top = Math.Max(0, first / width - 2 * reach);
        int bottom = Math.Min(height, last / width + 2 * reach + 1);
        byte[] result = mask.AsSpan().ToArray();
        Blur(result.AsSpan(top * width, (bottom - top) * width), width, bottom - top, Kernel(deviation));
        return result;
    }

    /// <summary>The weights of a blur in units of 1/256. The error of rounding is passed on from each weight to the next.</summary>
    /// <param name="deviation">The standard deviation in px, from 1.</param>
    public static ushort[] Kernel(int deviation)
    {
        int reach = Reach(deviation);
        double[] exact = new double[reach];
        double sum = 0;
        for (int at = 0; at < reach; at++)
        {
            double distance = reach - at;
            sum += exact[at] = Math.Exp(-0.5 * distance * distance / ((double)deviation * deviation));
        }

        ushort[] kernel = new ushort[2 * reach + 1];
        double error = 0;
        int rest = One;
        for (int at = 0; at < reach; at++)
        {
            double wanted = exact[at] / (2 * sum + 1) * One + error;
            int weight = (int)Math.Round(wanted, MidpointRounding.ToEven);
            error = wanted - weight;
            kernel[at] = kernel[^(at + 1)] = (ushort)weight;
            rest -= 2 * weight;
        }

        kernel[reach] = (ushort)rest;
        return kernel;
    }

    private static void Blur(Span<byte> mask, int width, int height, ushort[] kernel)
    {
        int reach = kernel.Length / 2;
        ushort[] sums = new ushort[width];
        byte[] line = new byte[width + 2 * reach];
        int[] columns = Mirrored(width, reach);
        for (int y = 0; y < height; y++)
        {
            Span<byte> row = mask.Slice(y * width, width);
            // A row of one value stays as it is.
            if (row.IndexOfAnyExcept(row[0]) < 0) continue;
            for (int x = 0; x < line.Length; x++) line[x] = row[columns[x]];
            sums.AsSpan().Fill(One / 2);
            for (int tap = 0; tap < kernel.Length; tap++) Accumulate(sums, line.AsSpan(tap, width), kernel[tap]);
            Store(sums, row);
        }

        BlurColumns(mask, width, height, kernel, sums);
    }

    // The rows above the current one are overwritten, so the original ones are kept as far as the blur reaches.
    private static void BlurColumns(Span<byte> mask, int width, int height, ushort[] kernel, ushort[] sums)
    {
        int reach = kernel.Length / 2;
        int kept = Math.Min(height, 2 * reach + 1);
        int[] rows = Mirrored(height, reach);
        byte[] window = new byte[kept * width];
        int ready = 0;
        for (int y = 0; y < height; y++)
        {
            for (; ready < Math.Min(height, y + reach + 1); ready++)
                mask.Slice(ready * width, width).CopyTo(window.AsSpan(ready % kept * width));
            sums.AsSpan().Fill(One / 2);
            for (int tap = 0; tap < kernel.Length; tap++)
                Accumulate(sums, window.AsSpan(rows[y + tap] % kept * width, width), kernel[tap]);
            Store(sums, mask.Slice(y * width, width));
        }
    }

    // Sums of bytes by weights that add up to 256 fit into 16 bits.
    private static void Accumulate(Span<ushort> sums, ReadOnlySpan<byte> row, ushort weight)
    {
        int x = 0;
        int half = Vector<ushort>.Count;
        for (; x <= row.Length - Vector<byte>.Count; x += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(row[x..]), out Vector<ushort> low, out Vector<ushort> high);
            (new Vector<ushort>(sums[x..]) + low * weight).CopyTo(sums[x..]);
            (new Vector<ushort>(sums[(x + half)..]) + high * weight).CopyTo(sums[(x + half)..]);
        }

        for (; x < row.Length; x++) sums[x] += (ushort)(row[x] * weight);
    }

    private static void Store(ReadOnlySpan<ushort> sums, Span<byte> row)
    {
        for (int x = 0; x < row.Length; x++) row[x] = (byte)(sums[x] / One);
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
