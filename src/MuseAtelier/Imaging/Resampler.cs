using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace MuseAtelier.Imaging;

/// <summary>
/// Scales pictures of 8 bits a channel as Pillow's resize does (src/libImaging/Resample.c): first the rows and then the columns, both in
/// fixed point and rounded to 8 bits, with the filter widened where the picture shrinks. Each channel is scaled by itself.
/// </summary>
internal static class Resampler
{
    private const int Half = 1 << (ResampleAxis.PrecisionBits - 1);

    /// <summary>Scales a whole picture.</summary>
    /// <param name="pixels">[height, width, channels].</param>
    /// <param name="channels">The number of interleaved channels.</param>
    /// <param name="width">Width in px.</param>
    /// <param name="height">Height in px.</param>
    /// <param name="result">Receives [newHeight, newWidth, channels].</param>
    /// <param name="newWidth">The new width in px.</param>
    /// <param name="newHeight">The new height in px.</param>
    /// <param name="filter">The filter.</param>
    /// <exception cref="ArgumentException">A size is not positive, or a span has another length than its size says.</exception>
    public static void Resize(
        ReadOnlySpan<byte> pixels,
        int channels,
        int width,
        int height,
        Span<byte> result,
        int newWidth,
        int newHeight,
        ResampleFilter filter)
    {
        Check(pixels.Length, channels, width, height, nameof(pixels));
        Check(result.Length, channels, newWidth, newHeight, nameof(result));
        if (filter == ResampleFilter.Nearest)
        {
            TakeNearest(pixels, channels, (width, height), result, (newWidth, newHeight));
            return;
        }

        var columns = ResampleAxis.Of(width, newWidth, filter);
        Resize(pixels, channels, result, columns, ResampleAxis.Of(height, newHeight, filter));
    }

    /// <summary>Scales a picture, or computes a window of the scaled one.</summary>
    /// <param name="pixels">[rows.Size, columns.Size, channels].</param>
    /// <param name="channels">The number of interleaved channels.</param>
    /// <param name="result">Receives [rows.Count, columns.Count, channels].</param>
    /// <param name="columns">How the pixels of a row are scaled.</param>
    /// <param name="rows">How the rows are scaled.</param>
    /// <exception cref="ArgumentException">A span has another length than its size says.</exception>
    public static void Resize(
        ReadOnlySpan<byte> pixels, int channels, Span<byte> result, ResampleAxis columns, ResampleAxis rows)
    {
        Check(pixels.Length, channels, columns.Size, rows.Size, nameof(pixels));
        Check(result.Length, channels, columns.Count, rows.Count, nameof(result));
        int stride = columns.Size * channels;
        int newStride = columns.Count * channels;
        // Only the rows that the next result needs are kept, so that memory does not grow with the height.
        byte[] window = new byte[rows.Longest * newStride];
        byte[] line = new byte[stride + sizeof(uint)];
        int[] sums = new int[newStride];
        int ready = 0;
        for (int y = 0; y < rows.Count; y++)
        {
            int start = rows.Start(y);
            ReadOnlySpan<int> weights = rows.Weights(y);
            for (ready = Math.Max(ready, start); ready < start + weights.Length; ready++)
            {
                Span<byte> row = window.AsSpan(ready % rows.Longest * newStride, newStride);
                pixels.Slice(ready * stride, stride).CopyTo(line);
                if (channels is 3 or 4) ScaleColours(line, channels, row, columns);
                else ScaleRow(line, channels, row, columns);
            }

            sums.AsSpan().Fill(Half);
            for (int tap = 0; tap < weights.Length; tap++)
                Accumulate(sums, window.AsSpan((start + tap) % rows.Longest * newStride, newStride), weights[tap]);
            Span<byte> to = result.Slice(y * newStride, newStride);
            for (int x = 0; x < to.Length; x++) to[x] = Clip(sums[x]);
        }
    }

    private static void ScaleRow(ReadOnlySpan<byte> row, int channels, Span<byte> result, ResampleAxis columns)
    {
        for (int x = 0; x < columns.Count; x++)
        {
            ReadOnlySpan<int> weights = columns.Weights(x);
            ReadOnlySpan<byte> from = row.Slice(columns.Start(x) * channels, weights.Length * channels);
            for (int channel = 0; channel < channels; channel++)
            {
                int sum = Half;
                for (int tap = 0, at = channel; tap < weights.Length; tap++, at += channels) sum += from[at] * weights[tap];
                result[x * channels + channel] = Clip(sum);
            }
        }
    }

    // All channels of a pixel at once. Behind the row there is room to read four bytes of its last pixel.
    private static void ScaleColours(ReadOnlySpan<byte> row, int channels, Span<byte> result, ResampleAxis columns)
    {
        for (int x = 0; x < columns.Count; x++)
        {
            ReadOnlySpan<int> weights = columns.Weights(x);
            Vector128<int> sum = Vector128.Create(Half);
            int at = columns.Start(x) * channels;
            foreach (int weight in weights)
            {
                Vector128<byte> pixel = Vector128.CreateScalar(MemoryMarshal.Read<uint>(row[at..])).AsByte();
                sum += Vector128.WidenLower(Vector128.WidenLower(pixel)).AsInt32() * weight;
                at += channels;
            }

            for (int channel = 0; channel < channels; channel++) result[x * channels + channel] = Clip(sum[channel]);
        }
    }

    private static void Accumulate(Span<int> sums, ReadOnlySpan<byte> row, int weight)
    {
        int x = 0;
        int quarter = Vector<int>.Count;
        for (; x <= row.Length - Vector<byte>.Count; x += Vector<byte>.Count)
        {
            Vector.Widen(new Vector<byte>(row[x..]), out Vector<ushort> low, out Vector<ushort> high);
            Vector.Widen(low, out Vector<uint> first, out Vector<uint> second);
            Vector.Widen(high, out Vector<uint> third, out Vector<uint> fourth);
            Add(sums[x..], first, weight);
            Add(sums[(x + quarter)..], second, weight);
            Add(sums[(x + 2 * quarter)..], third, weight);
            Add(sums[(x + 3 * quarter)..], fourth, weight);
        }

        for (; x < row.Length; x++) sums[x] += row[x] * weight;
    }

    private static void Add(Span<int> sums, Vector<uint> values, int weight) =>
        (new Vector<int>(sums) + Vector.AsVectorInt32(values) * weight).CopyTo(sums);

    // Pillow, src/libImaging/Geometry.c, ImagingScaleAffine, which adds the step up from pixel to pixel.
    private static void TakeNearest(
        ReadOnlySpan<byte> pixels, int channels, (int Width, int Height) size, Span<byte> result, (int Width, int Height) newSize)
    {
        int[] columns = Nearest(size.Width, newSize.Width);
        int[] rows = Nearest(size.Height, newSize.Height);
        int at = 0;
        foreach (int row in rows)
        {
            ReadOnlySpan<byte> from = pixels.Slice(row * size.Width * channels, size.Width * channels);
            foreach (int column in columns)
            {
                from.Slice(column * channels, channels).CopyTo(result[at..]);
                at += channels;
            }
        }
    }

    private static int[] Nearest(int size, int newSize)
    {
        int[] places = new int[newSize];
        double step = (double)size / newSize;
        double place = step * 0.5;
        foreach (ref int each in places.AsSpan())
        {
            each = Math.Min((int)place, size - 1);
            place += step;
        }

        return places;
    }

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> ResampleAxis.PrecisionBits, 0, byte.MaxValue);

    private static void Check(int length, int channels, int width, int height, string name)
    {
        if (channels < 1 || width < 1 || height < 1 || length != (long)width * height * channels)
            throw new ArgumentException($"{width}x{height} px of {channels} channels are not {length} bytes.", name);
    }
}
