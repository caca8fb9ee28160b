using System.Diagnostics.CodeAnalysis;
using MuseAtelier.Format;

namespace MuseAtelier.Sampling;

/// <summary>
/// The noise levels of a picture's steps. Leading, trailing, linspace and LCM are computed as diffusers does, the others as ComfyUI or the
/// program of <see cref="PictureRequest.Dialect"/> does.
/// </summary>
[Experimental(Experiments.Sampling)]
public sealed class SigmaSchedule
{
    private readonly TrainedSchedule _trained;
    private readonly float[] _timesteps;
    private readonly float[] _sigmas;

    /// <summary>Computes diffusers' schedule for Euler's and related samplers.</summary>
    /// <param name="trained">The levels that the model was trained on.</param>
    /// <param name="schedule">The choice of timesteps.</param>
    /// <param name="steps">1 to 1000.</param>
    internal SigmaSchedule(TrainedSchedule trained, NoiseSchedule schedule, int steps)
        : this(trained, new ScheduleChoice(schedule, SamplingDialect.Diffusers), steps)
    {
    }

    /// <summary>Computes the schedule of a request.</summary>
    /// <param name="trained">The levels that the model was trained on.</param>
    /// <param name="choice">The choice of timesteps. Automatic means leading.</param>
    /// <param name="steps">1 to 1000.</param>
    /// <exception cref="StepCountException">The schedule cannot have so many steps.</exception>
    internal SigmaSchedule(TrainedSchedule trained, ScheduleChoice choice, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(steps, TrainedSchedule.Steps);
        _trained = trained;
        NoiseSchedule schedule = choice.Schedule;
        TimestepSpacing spacing = schedule.Spacing == TimestepSpacing.Automatic ? TimestepSpacing.Leading : schedule.Spacing;
        double[] sigmas;
        double last = 0;
        if (schedule.Timesteps is { } list)
        {
            _timesteps = [.. list.Select(timestep => (float)timestep)];
            bool isExact = choice.Dialect != SamplingDialect.Diffusers;
            sigmas = Array.ConvertAll(_timesteps, timestep => isExact ? trained.ExactSigmas[(int)timestep] : trained.SigmaAt(timestep));
        }
        else if (IsOfTimesteps(spacing, choice.Dialect))
        {
            _timesteps = DiffusersTimesteps.Of(spacing, steps, choice.IsMultistep);
            sigmas = Array.ConvertAll(_timesteps, trained.SigmaAt);
        }
        else
        {
            sigmas = SigmaFunctions.Of(spacing, trained, steps, choice.Dialect);
            last = SigmaFunctions.LastOf(spacing, trained, choice.Dialect);
            _timesteps = Array.ConvertAll(sigmas, sigma => TimestepOf(sigma, spacing, choice.IsMultistep));
        }

        if (schedule.Karras && schedule.Timesteps is null)
        {
            sigmas = Karras(spacing, choice, sigmas);
            last = 0;
            for (int i = 0; i < sigmas.Length; i++)
                _timesteps[i] = choice.IsMultistep ? MathF.Round(trained.TimestepAt(sigmas[i])) : trained.TimestepAt(sigmas[i]);
        }

        // The timesteps that were chosen are indices of trained levels; a model of a continuous range is given other ones.
        if (trained.IsContinuous) _timesteps = Array.ConvertAll(sigmas, trained.TimestepAt);
        _sigmas = [.. sigmas.Select(sigma => (float)sigma), (float)last];
        InitialNoiseScale = InitialNoise.ScaleOf(choice, spacing, trained, _sigmas[0]);
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
        _timesteps = Array.ConvertAll(_sigmas[..^1], sigma => trained.TimestepAt(sigma));
        InitialNoiseScale = _sigmas[0];
    }

    /// <summary>The number of steps.</summary>
    public int Steps => _timesteps.Length;

    /// <summary>
    /// [Steps] the timestep that the UNet is given at the start of each step, falling; may have fractions, and be below 0 for EDM models.
    /// </summary>
    public ReadOnlySpan<float> Timesteps => _timesteps;

    /// <summary>
    /// [Steps + 1] the standard deviation of the noise before each step, falling; the last is that of the result: 0, or the least trained
    /// level with AUTOMATIC1111's kl_optimal.
    /// </summary>
    public ReadOnlySpan<float> Sigmas => _sigmas;

    /// <summary>The factor by which the initial noise is multiplied.</summary>
    public float InitialNoiseScale { get; }

    /// <summary>The least noise level that the model was trained on.</summary>
    internal float LeastTrainedSigma => _trained.Sigmas[0];

    /// <summary>The noise level of a timestep; 1000 counts as 999.</summary>
    internal float TrainedSigma(int timestep) => _trained.Sigmas[Math.Min(timestep, TrainedSchedule.Steps - 1)];

    /// <summary>
    /// The place of a step's noise level among the trained ones, 0 to 999: its timestep, except where the model was trained on a continuous
    /// range.
    /// </summary>
    internal float TrainedPlace(int step) => _trained.IsContinuous ? _trained.PlaceOf(_sigmas[step]) : _timesteps[step];

    /// <summary>
    /// A schedule of given timesteps for samplers whose programs begin with noise of variance 1 and scale the latents to it.
    /// </summary>
    /// <param name="trained">The levels that the model was trained on.</param>
    /// <param name="timesteps">Falling, 1 to 1000 of them. Owned by the schedule from then on.</param>
    internal static SigmaSchedule OfTimesteps(TrainedSchedule trained, float[] timesteps)
    {
        float[] sigmas = [.. timesteps.Select(timestep => (float)trained.SigmaAt(timestep)), 0];
        float[] given = trained.IsContinuous ? Array.ConvertAll(sigmas[..^1], sigma => trained.TimestepAt(sigma)) : timesteps;
        return new SigmaSchedule(trained, given, sigmas, InitialNoise.WithPicture(sigmas[0]));
    }

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
    /// <exception cref="ArgumentOutOfRangeException">The noise level is not above 0.</exception>
    public float TimestepOf(float sigma)
    {
        if (!(sigma > 0)) throw new ArgumentOutOfRangeException(nameof(sigma), sigma, "A sigma with a timestep is above 0.");
        return _trained.TimestepAt(sigma);
    }

    /// <summary>
    /// The schedule without its last noise level before the end, for samplers whose reference makes one step more and leaves that level out
    /// (ComfyUI comfy/samplers.py, KSampler.calculate_sigmas; AUTOMATIC1111's discard_next_to_last_sigma).
    /// </summary>
    internal SigmaSchedule WithoutPenultimate()
    {
        if (Steps < 2) throw new InvalidOperationException("A schedule of one step has no noise level to leave out.");
        return new SigmaSchedule(_trained, _timesteps[..^1], [.. _sigmas[..^2], _sigmas[^1]], InitialNoiseScale);
    }

    /// <summary>A schedule that ends above 0, with a step more that leads to 0.</summary>
    /// <exception cref="StepCountException">There is no room for a step more.</exception>
    internal SigmaSchedule WithStepToZero()
    {
        if (Steps == TrainedSchedule.Steps) throw new StepCountException(Steps, TrainedSchedule.Steps - 1);
        return new SigmaSchedule(_trained, [.. _timesteps, TimestepOf(_sigmas[^1])], [.. _sigmas, 0], InitialNoiseScale);
    }

    // Whether the spacing chooses timesteps, from which sigmas follow, and not sigmas.
    private static bool IsOfTimesteps(TimestepSpacing spacing, SamplingDialect dialect) =>
        spacing <= TimestepSpacing.Linspace || (spacing == TimestepSpacing.Lcm && dialect != SamplingDialect.A1111);

    // diffusers' multistep schedulers spread Karras's levels over the whole trained range; so do AUTOMATIC1111 and ComfyUI, in which they
    // are a schedule of their own.
    private double[] Karras(TimestepSpacing spacing, ScheduleChoice choice, double[] sigmas)
    {
        bool isWhole = choice.Dialect != SamplingDialect.Diffusers && spacing is TimestepSpacing.Linspace or TimestepSpacing.Normal;
        if (isWhole) return TorchSigmas.Karras(_trained.ExactRange, sigmas.Length);
        LevelRange range = choice.IsMultistep ? _trained.Range : new LevelRange(sigmas[^1], sigmas[0]);
        return SigmaFunctions.Karras(range, sigmas.Length);
    }

    private float TimestepOf(double sigma, TimestepSpacing spacing, bool isMultistep)
    {
        if (spacing == TimestepSpacing.Lcm) return LcmLevels.TimestepAt(_trained, sigma);
        float timestep = _trained.TimestepAt(sigma);
        // diffusers' multistep schedulers cut the fractions off.
        return isMultistep ? MathF.Truncate(timestep) : timestep;
    }
}
