using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// The linear multistep method of order 4 (k-diffusion sampling.py, sample_lms and linear_multistep_coeff; AUTOMATIC1111's "LMS"): a step
/// integrates the polynomial in sigma through the slopes of the last evaluations. Draws no noise after the start.
/// </summary>
/// <remarks>
/// x = x + sum over j of c[j] epsilon[i - j], where c[j] is the integral from sigma[i] to sigma[i + 1] of the Lagrange polynomial that is 1
/// at sigma[i - j] and 0 at the other noise levels. k-diffusion and diffusers (scheduling_lms_discrete.py) integrate it numerically; the
/// integral here is exact. The first steps that run have fewer slopes to read, and a lower order.
/// </remarks>
internal sealed class LmsSampler : Sampler
{
    private const int Order = 4;

    // The slopes of the evaluations before, in a ring.
    private const int Kept = Order - 1;

    // By the number of earlier evaluations that a step may read, then by the step.
    private readonly float[][][] _coefficients;

    /// <summary>Computes the coefficients of every step.</summary>
    public LmsSampler(SigmaSchedule schedule) : base(OnePerStep(schedule), Kept)
    {
        _coefficients = new float[Order][][];
        for (int earlier = 0; earlier <= Kept; earlier++)
        {
            _coefficients[earlier] = new float[schedule.Steps][];
            for (int step = 0; step < schedule.Steps; step++)
                _coefficients[earlier][step] = CoefficientsOf(schedule.Sigmas, step, earlier + 1);
        }
    }

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        float[] coefficients = _coefficients[Math.Min(EvaluatedBefore(evaluation), Kept)][evaluation.Step];
        TensorPrimitives.MultiplyAdd(state.Epsilon, coefficients[0], state.Latents, state.Latents);
        for (int j = 1; j < coefficients.Length; j++)
        {
            Span<float> slope = state.History((evaluation.Step - j) % Kept);
            TensorPrimitives.MultiplyAdd(slope, coefficients[j], state.Latents, state.Latents);
        }

        state.Epsilon.CopyTo(state.History(evaluation.Step % Kept));
    }

    private static float[] CoefficientsOf(ReadOnlySpan<float> sigmas, int step, int mostOrder)
    {
        // A polynomial needs different noise levels, so the order ends before two equal ones.
        int order = 1;
        while (order < mostOrder && order <= step && sigmas[step - order] > sigmas[step - order + 1]) order++;
        float[] coefficients = new float[order];
        ReadOnlySpan<float> nodes = sigmas.Slice(step - order + 1, order);
        for (int j = 0; j < order; j++) coefficients[j] = (float)Integral(nodes, order - 1 - j, sigmas[step + 1]);
        return coefficients;
    }

    // The integral of a Lagrange polynomial from the last node to a noise level, by the rule of Gauss with two points, which is exact up to
    // the third degree.
    private static double Integral(ReadOnlySpan<float> nodes, int index, double to)
    {
        double middle = (to + nodes[^1]) / 2;
        double half = (to - nodes[^1]) / 2;
        double offset = half / Math.Sqrt(3);
        return half * (Lagrange(nodes, index, middle - offset) + Lagrange(nodes, index, middle + offset));
    }

    private static double Lagrange(ReadOnlySpan<float> nodes, int index, double sigma)
    {
        double product = 1;
        for (int i = 0; i < nodes.Length; i++)
            if (i != index) product *= (sigma - nodes[i]) / ((double)nodes[index] - nodes[i]);
        return product;
    }
}
