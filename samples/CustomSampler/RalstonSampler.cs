using System.Numerics.Tensors;
using MuseAtelier.Sampling;

namespace MuseAtelier.Samples.CustomSampler;

/// <summary>
/// Ralston's method of second order (Ralston, 1962, "Runge-Kutta Methods with Minimum Error Bounds"): each step evaluates the UNet at its
/// start and at two thirds of its way, and follows a quarter of the first slope and three quarters of the second. The step to sigma 0 has
/// one evaluation.
/// </summary>
public sealed class RalstonSampler : Sampler
{
    private readonly float[] _distances;

    /// <summary>Makes the sampler for a schedule.</summary>
    public RalstonSampler(SigmaSchedule schedule) : base(EvaluationsOf(schedule), history: 2)
    {
        _distances = new float[schedule.Steps];
        for (int step = 0; step < _distances.Length; step++) _distances[step] = schedule.Sigmas[step + 1] - schedule.Sigmas[step];
    }

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        float distance = _distances[evaluation.Step];
        Span<float> start = state.History(0);
        Span<float> slope = state.History(1);
        if (evaluation.Index == Evaluations.Length - 1)
        {
            state.Denoised.CopyTo(state.Latents);
        }
        else if (evaluation.Index % 2 == 0)
        {
            state.Latents.CopyTo(start);
            state.Epsilon.CopyTo(slope);
            TensorPrimitives.MultiplyAdd(state.Epsilon, distance * 2 / 3, state.Latents, state.Latents);
        }
        else
        {
            TensorPrimitives.MultiplyAdd(slope, distance / 4, start, state.Latents);
            TensorPrimitives.MultiplyAdd(state.Epsilon, distance * 3 / 4, state.Latents, state.Latents);
        }
    }

    private static List<Evaluation> EvaluationsOf(SigmaSchedule schedule)
    {
        List<Evaluation> evaluations = [];
        for (int step = 0; step < schedule.Steps; step++)
        {
            evaluations.Add(new Evaluation(evaluations.Count, step, schedule.Sigmas[step], schedule.Timesteps[step]));
            if (step == schedule.Steps - 1) break;
            float sigma = (schedule.Sigmas[step] + 2 * schedule.Sigmas[step + 1]) / 3;
            evaluations.Add(new Evaluation(evaluations.Count, step, sigma, schedule.TimestepOf(sigma)));
        }

        return evaluations;
    }
}
