namespace MuseAtelier.Sampling;

/// <summary>
/// Enlarges latents as PyTorch's <c>interpolate</c> does with <c>align_corners=False</c>, without antialiasing, in fp32 (PyTorch
/// aten/src/ATen/native/UpSample.h: area_pixel_compute_scale, area_pixel_compute_source_index, nearest_neighbor_compute_source_index,
/// get_cubic_upsample_coefficients). AUTOMATIC1111's hires fix enlarges in this way (modules/processing.py, sample_hr_pass).
/// </summary>
internal static class LatentInterpolation
{
    // The coefficient of the cubic kernel in PyTorch.
    private const float CubicA = -0.75f;

    private const int CubicTaps = 4;

    /// <summary>Enlarges the planes of latents, or makes them smaller.</summary>
    /// <param name="latents">[c, height, width] fp32; borrowed.</param>
    /// <param name="height">Height of the latents.</param>
    /// <param name="width">Width of the latents.</param>
    /// <param name="result">[c, newHeight, newWidth] fp32; overwritten.</param>
    /// <param name="newHeight">Height of the result.</param>
    /// <param name="newWidth">Width of the result.</param>
    /// <param name="kernel">The kernel.</param>
    public static void Resize(
        ReadOnlySpan<float> latents, int height, int width, Span<float> result, int newHeight, int newWidth, LatentKernel kernel)
    {
        Taps[] rows = TapsOf(height, newHeight, kernel), columns = TapsOf(width, newWidth, kernel);
        int channels = latents.Length / (height * width);
        if (latents.Length != channels * height * width || result.Length != channels * newHeight * newWidth)
            throw new ArgumentException("Latents have whole planes, and the result has as many.", nameof(latents));
        for (int channel = 0; channel < channels; channel++)
        {
            ReadOnlySpan<float> from = latents.Slice(channel * height * width, height * width);
            Span<float> to = result.Slice(channel * newHeight * newWidth, newHeight * newWidth);
            for (int y = 0; y < newHeight; y++)
                for (int x = 0; x < newWidth; x++) to[y * newWidth + x] = Sum(from, width, rows[y], columns[x]);
        }
    }

    // The columns of a row are summed first, then the rows.
    private static float Sum(ReadOnlySpan<float> plane, int width, Taps rows, Taps columns)
    {
        float sum = 0;
        for (int y = 0; y < rows.Indices.Length; y++)
        {
            ReadOnlySpan<float> row = plane.Slice(rows.Indices[y] * width, width);
            float part = 0;
            for (int x = 0; x < columns.Indices.Length; x++) part += row[columns.Indices[x]] * columns.Weights[x];
            sum += part * rows.Weights[y];
        }

        return sum;
    }

    private static Taps[] TapsOf(int size, int newSize, LatentKernel kernel)
    {
        float scale = (float)size / newSize;
        var taps = new Taps[newSize];
        for (int i = 0; i < newSize; i++)
        {
            taps[i] = kernel switch
            {
                LatentKernel.Nearest => new Taps([Math.Min((int)MathF.Floor(i * scale), size - 1)], [1]),
                LatentKernel.Bilinear => Linear(Math.Max(scale * (i + 0.5f) - 0.5f, 0), size),
                LatentKernel.Bicubic => Cubic(scale * (i + 0.5f) - 0.5f, size),
                _ => throw new ArgumentOutOfRangeException(nameof(kernel), kernel, null),
            };
        }

        return taps;
    }

    private static Taps Linear(float place, int size)
    {
        int index = Math.Min((int)place, size - 1);
        float share = Math.Clamp(place - index, 0, 1);
        return new Taps([index, Math.Min(index + 1, size - 1)], [1 - share, share]);
    }

    private static Taps Cubic(float place, int size)
    {
        int index = Math.Min((int)MathF.Floor(place), size - 1);
        float near = Math.Clamp(place - index, 0, 1), far = 1 - near;
        int[] indices = new int[CubicTaps];
        for (int i = 0; i < CubicTaps; i++) indices[i] = Math.Clamp(index - 1 + i, 0, size - 1);
        return new Taps(indices, [Outer(near + 1), Inner(near), Inner(far), Outer(far + 1)]);
    }

    // cubic_convolution1, for distances up to 1.
    private static float Inner(float x) => ((CubicA + 2) * x - (CubicA + 3)) * x * x + 1;

    // cubic_convolution2, for distances from 1 to 2.
    private static float Outer(float x) => ((CubicA * x - 5 * CubicA) * x + 8 * CubicA) * x - 4 * CubicA;

    // The places along a side that a number of the result is computed from, with their weights.
    private readonly record struct Taps(int[] Indices, float[] Weights);
}

/// <summary>A kernel of interpolation.</summary>
internal enum LatentKernel
{
    /// <summary>The nearest number, rounded down (PyTorch's <c>nearest</c>).</summary>
    Nearest,

    /// <summary>Two numbers a side.</summary>
    Bilinear,

    /// <summary>Four numbers a side.</summary>
    Bicubic,
}
