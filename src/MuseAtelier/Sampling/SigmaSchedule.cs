using System.Diagnostics.CodeAnalysis;
using MuseAtelier.Packages;

namespace MuseAtelier.Sampling;

/// <summary>
/// The noise levels of a picture's steps. Leading, trailing and linspace are those of diffusers' EulerAncestralDiscreteScheduler for SDXL
/// (schedulers/scheduling_euler_ancestral_discrete.py, set_timesteps), the others those of <see cref="SigmaFunctions"/>.
/// </summary>
[Experimental(Experiments.Sampling)]
public sealed class SigmaSchedule
{
    private const double Rho = 7;

    private readonly TrainedSchedule _trained;
    private readonly float[] _timesteps;
    private readonly float[] _sigmas;

    /// <summary>Computes the schedule of a request.</summary>
    /// <param name="trained">The levels that the model was trained on.</param>
    /// <param name="schedule">The choice of timesteps.</param>
    /// <param name="steps">1 to 1000.</param>
    internal SigmaSchedule(TrainedSchedule trained, NoiseSchedule schedule, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(steps, TrainedSchedule.Steps);
        _trained = trained;
        TimestepSpacing spacing = schedule.Spacing == TimestepSpacing.Automatic ? TimestepSpacing.Leading : schedule.Spacing;
        double[] sigmas;
        if (spacing <= TimestepSpacing.Linspace)
        {
            _timesteps = ChooseTimesteps(spacing, steps);
            sigmas = Array.ConvertAll(_timesteps, SigmaAt);
        }
        else
        {
            sigmas = SigmaFunctions.Of(spacing, trained, steps);
            _timesteps = Array.ConvertAll(sigmas, TimestepAt);
        }

        if (schedule.Karras)
        {
            SpreadAsKarras(sigmas);
            for (int i = 0; i < sigmas.Length; i++) _timesteps[i] = TimestepAt(sigmas[i]);
        }

        // The timesteps that were chosen are indices of trained levels; such a model is given other ones.
        if (trained.IsContinuous) _timesteps = Array.ConvertAll(sigmas, TimestepAt);
        _sigmas = [.. sigmas.Select(sigma => (float)sigma), 0];
        InitialNoiseScale = spacing == TimestepSpacing.Leading ? MathF.Sqrt(_sigmas[0] * _sigmas[0] + 1) : _sigmas[0];
    }

    private SigmaSchedule(TrainedSchedule trained, float[] timesteps, float[] sigmas, float initialNoiseScale)
    {
        _trained = trained;
        _timesteps = timesteps;
        _sigmas = sigmas;
        InitialNoiseScale = initialNoiseScale;
    }

    private SigmaSchedule(TrainedSchedule trained, ReadOnlySpan<float> sigmas)
    {
        _trained = trained;
        _sigmas = sigmas.ToArray();
        _timesteps = Array.ConvertAll(_sigmas[..^1], sigma => TimestepAt((double)sigma));
        InitialNoiseScale = _sigmas[0];
    }

    /// <summary>The number of steps.</summary>
    public int Steps => _timesteps.Length;

    /// <summary>
    /// [Steps] the timestep that the UNet is given at the start of each step, falling; may have fractions, and be below 0 for EDM models.
    /// </summary>
    public ReadOnlySpan<float> Timesteps => _timesteps;

    /// <summary>[Steps + 1] the standard deviation of the noise before each step, falling; the last is 0.</summary>
    public ReadOnlySpan<float> Sigmas => _sigmas;

    /// <summary>The factor by which the initial noise is multiplied.</summary>
    public float InitialNoiseScale { get; }

    /// <summary>The least noise level that the model was trained on.</summary>
    internal float LeastTrainedSigma => _trained.Sigmas[0];

    /// <summary>A schedule of given noise levels for SDXL's own training; for tests of samplers.</summary>
    /// <param name="sigmas">Falling, above 0 except the last, which is 0; 2 to 1001 values. Copied.</param>
    /// <exception cref="ArgumentException">The values are not such.</exception>
    public static SigmaSchedule FromSigmas(ReadOnlySpan<float> sigmas)
    {
        if (sigmas.Length is < 2 or > TrainedSchedule.Steps + 1 || sigmas[^1] != 0)
            throw new ArgumentException("A schedule has 2 to 1001 sigmas, and the last one is 0.", nameof(sigmas));
        for (int i = 1; i < sigmas.Length; i++)
        {
            if (!(float.IsFinite(sigmas[i - 1]) && sigmas[i - 1] > 0 && sigmas[i - 1] >= sigmas[i]))
                throw new ArgumentException("The sigmas of a schedule are finite and fall to 0.", nameof(sigmas));
        }

        return new SigmaSchedule(new TrainedSchedule(PredictionType.Epsilon, zeroTerminalSnr: false), sigmas);
    }

    /// <summary>
    /// The timestep for a noise level between those of the schedule, interpolated on logarithms of the trained sigmas (k-diffusion
    /// external.py, DiscreteSchedule.sigma_to_t).
    /// </summary>
    /// <param name="sigma">The noise level, above 0.</param>
    /// <returns>0 to 999, with a fraction; for a model of the EDM formulation, a quarter of the noise level's logarithm.</returns>
    public float TimestepOf(float sigma)
    {
        if (!(sigma > 0)) throw new ArgumentOutOfRangeException(nameof(sigma), sigma, "A sigma with a timestep is above 0.");
        return TimestepAt(sigma);
    }

    /// <summary>
    /// The schedule without its last noise level above 0, for samplers whose reference makes one step more and leaves that level out
    /// (ComfyUI comfy/samplers.py, KSampler.calculate_sigmas; AUTOMATIC1111's discard_next_to_last_sigma).
    /// </summary>
    internal SigmaSchedule WithoutPenultimate()
    {
        if (Steps < 2) throw new InvalidOperationException("A schedule of one step has no noise level to leave out.");
        return new SigmaSchedule(_trained, _timesteps[..^1], [.. _sigmas[..^2], 0], InitialNoiseScale);
    }

    private static float[] ChooseTimesteps(TimestepSpacing spacing, int steps)
    {
        const int trained = TrainedSchedule.Steps;
        float[] timesteps = new float[steps];
        for (int i = 0; i < steps; i++)
        {
            timesteps[i] = spacing switch
            {
                TimestepSpacing.Leading => (steps - 1 - i) * (trained / steps) + 1,
                TimestepSpacing.Trailing => (float)Math.Round(trained - i * ((double)trained / steps)) - 1,
                // A single step begins at the most noise, as in k-diffusion. diffusers begins it at the least, which would show the noise.
                TimestepSpacing.Linspace => steps == 1 ? trained - 1 : (float)((steps - 1 - i) * ((trained - 1.0) / (steps - 1))),
                _ => throw new ArgumentOutOfRangeException(nameof(spacing), spacing, null),
            };
        }

        return timesteps;
    }

    // 1000 steps with leading spacing begin at timestep 1000, which is beyond the table: its last entry counts there.
    private double SigmaAt(float timestep)
    {
        ReadOnlySpan<float> sigmas = _trained.Sigmas;
        int below = Math.Min((int)timestep, sigmas.Length - 1);
        double low = sigmas[below];
        if (below == sigmas.Length - 1) return low;
        return low + (sigmas[below + 1] - low) * (timestep - below);
    }

    // Karras et al. (2022), equation 5.
    private static void SpreadAsKarras(double[] sigmas)
    {
        double first = Math.Pow(sigmas[0], 1 / Rho);
        double last = Math.Pow(sigmas[^1], 1 / Rho);
        for (int i = 0; i < sigmas.Length; i++)
        {
            double ramp = sigmas.Length == 1 ? 0 : i / (sigmas.Length - 1.0);
            sigmas[i] = Math.Pow(first + ramp * (last - first), Rho);
        }
    }

    private float TimestepAt(double sigma) => _trained.TimestepOf(sigma);
}
