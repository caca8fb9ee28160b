namespace MuseAtelier.Sampling;

/// <summary>The methods by which the pictures of a request are denoised, made once for a batch.</summary>
/// <param name="Schedule">The noise levels of the steps.</param>
/// <param name="Sampler">The sampler.</param>
/// <param name="Prediction">The quantity that the model predicts.</param>
/// <param name="Guidance">The guidance.</param>
internal sealed record SamplingRecipe(SigmaSchedule Schedule, Sampler Sampler, Prediction Prediction, Guidance Guidance)
{
    /// <summary>The factor of the noise that denoising begins with.</summary>
    public required float InitialNoiseScale { get; init; }

    /// <summary>The rescaling of guided predictions; null if they are not rescaled.</summary>
    public GuidanceRescale? Rescale { get; init; }

    /// <summary>The evaluations of the UNet.</summary>
    public ReadOnlySpan<Evaluation> Evaluations => Sampler.Evaluations;

    /// <summary>The recipe of a request.</summary>
    /// <param name="request">The request, whose names are in the catalogue.</param>
    /// <param name="trained">The schedule that the model was trained on.</param>
    /// <param name="samplers">The samplers.</param>
    public static SamplingRecipe Of(PictureRequest request, TrainedSchedule trained, SamplerCatalog samplers)
    {
        SigmaSchedule schedule = samplers.ScheduleOf(WithSchedule(request, trained), trained);
        return new SamplingRecipe(
            schedule,
            samplers.Create(request, schedule),
            Prediction.Of(trained.Prediction),
            new Guidance(request))
        {
            InitialNoiseScale = InitialNoise.ScaleOf(request.Dialect, schedule, trained),
            Rescale = GuidanceRescale.Of(request),
        };
    }

    /// <summary>The timestep of every evaluation.</summary>
    public float[] Timesteps()
    {
        float[] timesteps = new float[Evaluations.Length];
        for (int i = 0; i < timesteps.Length; i++) timesteps[i] = Evaluations[i].Timestep;
        return timesteps;
    }

    // The schedule that diffusers uses for models of the EDM formulation (scheduling_edm_euler.py, sigma_schedule "karras"): Karras's
    // sigmas over the whole trained range.
    private static PictureRequest WithSchedule(PictureRequest request, TrainedSchedule trained)
    {
        bool isOpen = request.Dialect == SamplingDialect.Diffusers
            && request.Schedule is { Spacing: TimestepSpacing.Automatic, Timesteps: null };
        if (!trained.IsContinuous || !isOpen) return request;
        return request with { Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Linspace, Karras = true } };
    }
}
