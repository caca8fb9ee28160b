using System.Numerics.Tensors;

namespace MuseAtelier.Conditioning;

/// <summary>Applies the weights of a chunk's tokens to the hidden states of one encoder.</summary>
internal static class TokenWeights
{
    /// <summary>Whether all weights are 1, so that they change nothing.</summary>
    public static bool AreNeutral(ReadOnlySpan<float> weights) => !weights.ContainsAnyExcept(1f);

    /// <summary>Multiplies each row by its weight.</summary>
    /// <param name="hidden">[tokens, width] fp32 states of one encoder for one chunk; changed.</param>
    /// <param name="weights">[tokens] weights.</param>
    /// <param name="restoresMean">
    /// Whether the states are multiplied afterwards so that the mean of all of them is what it was before.
    /// </param>
    public static void Scale(Span<float> hidden, ReadOnlySpan<float> weights, bool restoresMean)
    {
        double before = Sum(hidden);
        int width = hidden.Length / weights.Length;
        for (int row = 0; row < weights.Length; row++)
        {
            Span<float> states = hidden.Slice(row * width, width);
            TensorPrimitives.Multiply(states, weights[row], states);
        }

        if (!restoresMean) return;
        // Weights of 0 or less can make the mean zero, which no factor turns into another one.
        double after = Sum(hidden);
        if (after != 0) TensorPrimitives.Multiply(hidden, (float)(before / after), hidden);
    }

    /// <summary>Replaces each row by empty + (row - empty) * weight. A row of weight 1 stays as it is.</summary>
    /// <param name="hidden">[tokens, width] fp32 states of one chunk; changed.</param>
    /// <param name="empty">[tokens, width] fp32 states of the empty prompt.</param>
    /// <param name="weights">[tokens] weights.</param>
    public static void Interpolate(Span<float> hidden, ReadOnlySpan<float> empty, ReadOnlySpan<float> weights)
    {
        int width = hidden.Length / weights.Length;
        for (int row = 0; row < weights.Length; row++)
        {
            if (weights[row] == 1) continue;
            Span<float> states = hidden.Slice(row * width, width);
            ReadOnlySpan<float> origin = empty.Slice(row * width, width);
            TensorPrimitives.Subtract(states, origin, states);
            TensorPrimitives.Multiply(states, weights[row], states);
            TensorPrimitives.Add(states, origin, states);
        }
    }

    // In double, because the sum of many states of both signs is small.
    private static double Sum(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values) sum += value;
        return sum;
    }
}
