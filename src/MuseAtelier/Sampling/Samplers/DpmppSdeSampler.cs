using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// DPM-Solver++ of second order for the stochastic equation, two evaluations and two draws of noise a step (k-diffusion sampling.py,
/// sample_dpmpp_sde with r 1/2 and s_noise 1; AUTOMATIC1111's "DPM++ SDE"). The step to sigma 0 has one evaluation and no noise.
/// </summary>
/// <remarks>
/// With sigmaMid = sqrt(sigma sigmaNext), (down1, up1) the ancestral parts of the step from sigma to sigmaMid and (down2, up2) those of
/// the step from sigma to sigmaNext: x2 = (down1 / sigma) x + (1 - down1 / sigma) D(x, sigma) + noise1 up1, and
/// x = (down2 / sigma) x + (1 - down2 / sigma) D(x2, sigmaMid) + noise2 up2. noise1 is the increment of a Brownian motion from sigma to
/// sigmaMid, and noise2 that from sigma to sigmaNext, which contains it.
/// </remarks>
internal sealed class DpmppSdeSampler : Sampler
{
    private readonly Coefficients[] _toMiddle;
    private readonly Coefficients[] _toEnd;

    /// <summary>Computes the coefficients of every step.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="eta">The strength of the noise, 0 to 1; with 0 none is drawn after the start.</param>
    public DpmppSdeSampler(SigmaSchedule schedule, double eta = 1)
        : base(
            TwoPerStep(
                schedule,
                step => Middle(schedule, step),
                step => ToEnd(schedule, step, eta).Noise > 0 ? 1 : 0,
                step => ToMiddle(schedule, step, eta).Noise > 0 ? 1 : 0),
            history: 1)
    {
        _toMiddle = new Coefficients[schedule.Steps];
        _toEnd = new Coefficients[schedule.Steps];
        for (int step = 0; step < schedule.Steps; step++)
        {
            _toMiddle[step] = ToMiddle(schedule, step, eta);
            _toEnd[step] = ToEnd(schedule, step, eta);
        }
    }

    /// <inheritdoc/>
    public override StepNoise StepNoise => StepNoise.Brownian;

    /// <inheritdoc/>
    public override (float From, float To) NoiseInterval(in Evaluation evaluation, int draw)
    {
        (float from, float to) = base.NoiseInterval(evaluation, draw);
        if (to == 0) return (from, to);
        // The reference goes through t = -ln sigma in fp32, whose roundings can move a level by the tree's last digit. The draw after the
        // first of two evaluations ends halfway in t.
        float t = -Log(from), next = -Log(to);
        bool isMiddle = IsFirstOfStep(evaluation) && !IsLastOfStep(evaluation);
        return (Exp(-t), Exp(isMiddle ? -(t + (next - t) * 0.5f) : -next));

        static float Log(float value) => (float)Math.Log(value);
        static float Exp(float value) => (float)Math.Exp(value);
    }

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        if (evaluation.Index == Evaluations.Length - 1)
        {
            state.Denoised.CopyTo(state.Latents);
            return;
        }

        bool isFirst = IsFirstOfStep(evaluation);
        if (isFirst) state.Latents.CopyTo(state.History());
        Coefficients step = isFirst ? _toMiddle[evaluation.Step] : _toEnd[evaluation.Step];
        TensorPrimitives.Multiply(state.History(), step.Latents, state.Latents);
        TensorPrimitives.MultiplyAdd(state.Denoised, step.Denoised, state.Latents, state.Latents);
        if (evaluation.NoiseDraws > 0) TensorPrimitives.MultiplyAdd(state.Noise(), step.Noise, state.Latents, state.Latents);
    }

    private static double Middle(SigmaSchedule schedule, int step) =>
        Math.Sqrt((double)schedule.Sigmas[step] * schedule.Sigmas[step + 1]);

    private static Coefficients ToMiddle(SigmaSchedule schedule, int step, double eta) =>
        Coefficients.Of(schedule.Sigmas[step], Middle(schedule, step), eta);

    private static Coefficients ToEnd(SigmaSchedule schedule, int step, double eta) =>
        Coefficients.Of(schedule.Sigmas[step], schedule.Sigmas[step + 1], eta);

    /// <summary>The factors of half a step or of a whole one.</summary>
    /// <param name="Latents">Of the latents at the start of the step.</param>
    /// <param name="Denoised">Of the denoised latents.</param>
    /// <param name="Noise">Of the fresh noise.</param>
    private readonly record struct Coefficients(float Latents, float Denoised, float Noise)
    {
        public static Coefficients Of(double from, double to, double eta)
        {
            AncestralStep parts = AncestralStep.Of(from, to, eta);
            return new Coefficients((float)(parts.Down / from), (float)(1 - parts.Down / from), (float)parts.Up);
        }
    }
}
