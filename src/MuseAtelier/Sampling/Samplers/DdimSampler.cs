using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// DDIM (Song et al., 2021, equation 12). diffusers' is scheduling_ddim.py, DDIMScheduler.step, with set_alpha_to_one false as in SDXL's
/// configuration; AUTOMATIC1111's is modules/sd_samplers_timesteps_impl.py, ddim. ComfyUI's of this name is <see cref="EulerSampler"/>.
/// </summary>
/// <remarks>
/// The programs hold x sqrt(alpha), where alpha = 1 / (sigma^2 + 1). For x itself, their step is
/// x + epsilon (down - sigma) + noise up with the ancestral parts of the step; with eta 0, the default, it is Euler's. The last step ends
/// at a trained timestep, where some noise is left: sqrt(alpha) (D + epsilon down + noise up). With diffusers it is timestep 0, and with
/// AUTOMATIC1111 timestep 1, the last one of its list, at which it does not evaluate the UNet.
/// </remarks>
internal sealed class DdimSampler : Sampler
{
    private readonly float[] _slopes;
    private readonly float[] _noiseScales;
    private readonly float _lastDenoised;
    private readonly float _lastEpsilon;
    private readonly float _lastNoise;

    /// <summary>Computes the coefficients of every step.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="eta">The strength of the noise, 0 to 1; with 0 none is drawn after the start.</param>
    /// <param name="end">The trained timestep at which the last step ends.</param>
    public DdimSampler(SigmaSchedule schedule, double eta = 0, int end = 0)
        : base(OnePerStep(schedule, step => (float)PartsOf(schedule, step, eta, end).Up > 0 ? 1 : 0))
    {
        _slopes = new float[schedule.Steps];
        _noiseScales = new float[schedule.Steps];
        for (int step = 0; step < schedule.Steps; step++)
        {
            AncestralStep parts = PartsOf(schedule, step, eta, end);
            _slopes[step] = (float)(parts.Down - schedule.Sigmas[step]);
            _noiseScales[step] = (float)parts.Up;
        }

        AncestralStep last = PartsOf(schedule, schedule.Steps - 1, eta, end);
        double least = schedule.TrainedSigma(end);
        double root = Math.Sqrt(least * least + 1);
        _lastDenoised = (float)(1 / root);
        _lastEpsilon = (float)(last.Down / root);
        _lastNoise = (float)(last.Up / root);
    }

    /// <summary>
    /// AUTOMATIC1111's own timesteps for a number of steps: every n-th from 1 on without the first one, which is the end of the last step
    /// (modules/sd_samplers_timesteps.py, get_timesteps). Mostly one step fewer; 30 steps give 30, because 1000 is no multiple of 30. One
    /// step gives none there, and is as two here.
    /// </summary>
    /// <param name="trained">The levels that the model was trained on.</param>
    /// <param name="steps">1 to 1000.</param>
    public static SigmaSchedule ScheduleOfA1111(TrainedSchedule trained, int steps)
    {
        int stride = TrainedSchedule.Steps / Math.Max(steps, 2);
        int most = (TrainedSchedule.Steps - 1) / stride;
        float[] timesteps = new float[most];
        for (int i = 0; i < most; i++) timesteps[i] = Math.Min((most - i) * stride + 1, TrainedSchedule.Steps - 1);
        return SigmaSchedule.OfTimesteps(trained, timesteps);
    }

    /// <inheritdoc/>
    public override void Advance(in Evaluation evaluation, SamplerState state)
    {
        bool isLast = evaluation.Index == Evaluations.Length - 1;
        if (isLast)
        {
            TensorPrimitives.Multiply(state.Denoised, _lastDenoised, state.Latents);
            TensorPrimitives.MultiplyAdd(state.Epsilon, _lastEpsilon, state.Latents, state.Latents);
        }
        else
        {
            TensorPrimitives.MultiplyAdd(state.Epsilon, _slopes[evaluation.Step], state.Latents, state.Latents);
        }

        float scale = isLast ? _lastNoise : _noiseScales[evaluation.Step];
        if (evaluation.NoiseDraws > 0) TensorPrimitives.MultiplyAdd(state.Noise(), scale, state.Latents, state.Latents);
    }

    private static AncestralStep PartsOf(SigmaSchedule schedule, int step, double eta, int end)
    {
        float next = schedule.Sigmas[step + 1];
        return AncestralStep.Of(schedule.Sigmas[step], next > 0 ? next : schedule.TrainedSigma(end), eta);
    }
}
