using MuseAtelier.Sampling;

namespace MuseAtelier.Tests.Support;

/// <summary>
/// The made-up model of the runs of k-diffusion: D(x, s) = x / (1 + s^2) + 0.2 s / (1 + s) sin(0.7 x + s / 20). Runs samplers with it.
/// </summary>
internal static class MadeUpModel
{
    /// <summary>The denoised value of a number.</summary>
    public static double Denoise(double x, double sigma) =>
        x / (1 + sigma * sigma) + 0.2 * sigma / (1 + sigma) * Math.Sin(0.7 * x + sigma / 20);

    /// <summary>
    /// Runs a sampler's evaluations from its first one on. What the history holds at the start must not matter: it is NaN.
    /// </summary>
    /// <param name="sampler">The sampler.</param>
    /// <param name="start">The latents before the first evaluation.</param>
    /// <param name="noise">The draws, one after the other; as many as are made.</param>
    public static float[] Run(Sampler sampler, float[] start, float[]? noise = null)
    {
        float[] latents = [.. start], denoised = new float[start.Length], epsilon = new float[start.Length];
        float[] history = new float[sampler.History * start.Length];
        history.AsSpan().Fill(float.NaN);
        int next = 0;
        foreach (Evaluation evaluation in sampler.Evaluations[sampler.FirstEvaluation..])
        {
            for (int i = 0; i < start.Length; i++)
            {
                double clean = Denoise(latents[i], evaluation.Sigma);
                denoised[i] = (float)clean;
                epsilon[i] = (float)((latents[i] - clean) / evaluation.Sigma);
            }

            int draws = evaluation.NoiseDraws * start.Length;
            Span<float> drawn = draws == 0 ? [] : noise.AsSpan(next, draws);
            sampler.Advance(evaluation, new SamplerState(latents, denoised, epsilon, drawn, history));
            next += draws;
        }

        return latents;
    }

    /// <summary>Normal numbers of a seed.</summary>
    public static float[] Draw(ulong seed, int count)
    {
        float[] drawn = new float[count];
        new TorchCpuNoise(seed).Fill(drawn);
        return drawn;
    }

    /// <summary>The size of the difference of two lists, divided by that of the first one.</summary>
    public static double RelativeError(IReadOnlyList<double> expected, IReadOnlyList<float> actual)
    {
        double difference = 0, size = 0;
        for (int i = 0; i < expected.Count; i++)
        {
            difference += Math.Pow(expected[i] - actual[i], 2);
            size += expected[i] * expected[i];
        }

        return Math.Sqrt(difference / size);
    }
}
