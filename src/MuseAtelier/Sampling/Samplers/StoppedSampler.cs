namespace MuseAtelier.Sampling;

/// <summary>
/// A sampler that stops before the last step, at the noise level from which that step would lead to 0. AUTOMATIC1111's kl_optimal ends so:
/// its list of noise levels has no 0 at the end, and some noise is left in the picture (Forge, modules/sd_schedulers.py, kl_optimal).
/// </summary>
/// <param name="whole">The sampler of the schedule with a step to 0 at the end.</param>
internal sealed class StoppedSampler(Sampler whole) : Sampler(WithoutLastStep(whole), whole.History)
{
    /// <inheritdoc/>
    public override StepNoise StepNoise => whole.StepNoise;

    /// <inheritdoc/>
    public override (float From, float To) NoiseInterval(in Evaluation evaluation, int draw) => whole.NoiseInterval(evaluation, draw);

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state) => whole.Advance(evaluation, state);

    /// <inheritdoc/>
    internal override void BeginAt(int evaluation)
    {
        base.BeginAt(evaluation);
        whole.BeginAt(evaluation);
    }

    private static Evaluation[] WithoutLastStep(Sampler sampler)
    {
        Evaluation[] evaluations = sampler.Evaluations.ToArray();
        return Array.FindAll(evaluations, evaluation => evaluation.Step < evaluations[^1].Step);
    }
}
