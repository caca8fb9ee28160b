using MuseAtelier.Sampling;

namespace MuseAtelier.Tests.Support;

/// <summary>A sampler that draws noise between given sigmas, and leaves the latents as they are.</summary>
internal sealed class IntervalSampler(SigmaSchedule schedule, (float From, float To)[] intervals, StepNoise noise = StepNoise.Brownian)
    : Sampler(OnePerStep(schedule, step => step < intervals.Length ? 1 : 0))
{
    /// <inheritdoc/>
    public override StepNoise StepNoise => noise;

    /// <inheritdoc/>
    public override (float From, float To) NoiseInterval(in Evaluation evaluation, int draw) => intervals[evaluation.Index];

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
    }

    /// <summary>The noise of each interval, for latents of a number of values.</summary>
    /// <param name="sigmas">The levels that the tree spans, falling to 0.</param>
    /// <param name="intervals">At most as many as the schedule has steps.</param>
    /// <param name="noise">The picture's noise.</param>
    /// <param name="length">The number of values.</param>
    public static float[][] Draw(float[] sigmas, (float From, float To)[] intervals, PictureNoise noise, int length)
    {
        SigmaSchedule schedule = SigmaSchedule.FromSigmas(sigmas);
        var guidance = new Guidance(new PictureRequest { Prompt = "", GuidanceScale = 1 });
        var sampler = new IntervalSampler(schedule, intervals);
        var recipe = new SamplingRecipe(schedule, sampler, new EpsilonPrediction(), guidance) { InitialNoiseScale = 1 };
        using var batch = new LatentBatch(
            new FakeDenoiser(recipe, 1, length), BatchSlot.Alone, 1, guidance, sampler, HostBuffers.Allocate);
        using var drawing = new BatchNoise([noise], recipe, length, HostBuffers.Allocate);
        List<float[]> drawn = [];
        foreach (Evaluation evaluation in recipe.Evaluations)
        {
            if (evaluation.NoiseDraws == 0) continue;
            drawing.Draw(evaluation, batch);
            drawn.Add(batch.Noise(0).ToArray());
        }

        return [.. drawn];
    }
}
