using System.Numerics.Tensors;
using MuseAtelier.Sampling;

namespace MuseAtelier.Samples.CustomSampler;

/// <summary>
/// Heun's method (k-diffusion sampling.py, sample_heun with s_churn 0; Karras et al., 2022, algorithm 1): each step evaluates the UNet at
/// its start and at its end, and follows the mean of the two slopes. The step to sigma 0 has one evaluation.
/// </summary>
public sealed class HeunSampler : Sampler
{
    private readonly float[] _distances;

    /// <summary>Makes the sampler for a schedule.</summary>
    public HeunSampler(SigmaSchedule schedule) : base(EvaluationsOf(schedule), history: 2)
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
        if (evaluation.Index % 2 == 0)
        {
            state.Latents.CopyTo(start);
            state.Epsilon.CopyTo(slope);
            TensorPrimitives.MultiplyAdd(state.Epsilon, distance, state.Latents, state.Latents);
        }
        else
        {
            TensorPrimitives.Add(state.Epsilon, slope, slope);
            TensorPrimitives.MultiplyAdd(slope, distance / 2, start, state.Latents);
        }
    }

    private static List<Evaluation> EvaluationsOf(SigmaSchedule schedule)
    {
        List<Evaluation> evaluations = [];
        for (int step = 0; step < schedule.Steps; step++)
        {
            evaluations.Add(new Evaluation(evaluations.Count, step, schedule.Sigmas[step], schedule.Timesteps[step]));
            if (step == schedule.Steps - 1) break;
            evaluations.Add(new Evaluation(evaluations.Count, step, schedule.Sigmas[step + 1], schedule.Timesteps[step + 1]));
        }

        return evaluations;
    }
}
