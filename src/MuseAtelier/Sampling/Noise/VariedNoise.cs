using System.Buffers;

namespace MuseAtelier.Sampling;

/// <summary>
/// Initial noise between that of two seeds: spherical interpolation in every column of every channel, as AUTOMATIC1111 computes it
/// (modules/rng.py, slerp, which takes norms over the rows). Its sums are in double, so that all machines agree.
/// </summary>
/// <param name="noise">The noise of strength 0.</param>
/// <param name="variation">The noise of strength 1.</param>
/// <param name="strength">The share of the variation, above 0 and up to 1.</param>
/// <param name="height">Height of the latents.</param>
/// <param name="width">Width of the latents.</param>
internal sealed class VariedNoise(INoiseGenerator noise, INoiseGenerator variation, double strength, int height, int width)
    : INoiseGenerator
{
    /// <summary>The mean cosine above which both are so much alike that the reference interpolates linearly.</summary>
    private const float Alike = 0.9995f;

    /// <inheritdoc/>
    public void Fill(Span<float> destination)
    {
        float[] rented = ArrayPool<float>.Shared.Rent(destination.Length);
        Span<float> other = rented.AsSpan(0, destination.Length);
        noise.Fill(destination);
        variation.Fill(other);
        Mix(destination, other);
        ArrayPool<float>.Shared.Return(rented);
    }

    private void Mix(Span<float> low, ReadOnlySpan<float> high)
    {
        double sum = 0;
        int columns = low.Length / height;
        for (int column = 0; column < columns; column++) sum += Cosine(low, high, column);
        if ((float)(sum / columns) > Alike)
        {
            // The reference swaps the shares here.
            for (int i = 0; i < low.Length; i++) low[i] = (float)(low[i] * strength + high[i] * (1 - strength));
            return;
        }

        for (int column = 0; column < columns; column++)
        {
            double angle = Math.Acos(Math.Clamp(Cosine(low, high, column), -1, 1)), sine = Math.Sin(angle);
            // A column whose noises point the same way has no angle to divide.
            (double ofLow, double ofHigh) = sine > 0
                ? (Math.Sin((1 - strength) * angle) / sine, Math.Sin(strength * angle) / sine)
                : (1 - strength, strength);
            for (int row = 0, i = First(column); row < height; row++, i += width)
                low[i] = (float)(ofLow * low[i] + ofHigh * high[i]);
        }
    }

    private double Cosine(ReadOnlySpan<float> low, ReadOnlySpan<float> high, int column)
    {
        double product = 0, lowSquare = 0, highSquare = 0;
        for (int row = 0, i = First(column); row < height; row++, i += width)
        {
            product += (double)low[i] * high[i];
            lowSquare += (double)low[i] * low[i];
            highSquare += (double)high[i] * high[i];
        }

        return product / Math.Sqrt(lowSquare * highSquare);
    }

    private int First(int column) => column / width * height * width + column % width;
}
