namespace MuseAtelier.Sampling;

/// <summary>The methods by which the pictures of a request are denoised, made once for a batch.</summary>
/// <param name="Schedule">The noise levels of the steps.</param>
/// <param name="Sampler">The sampler.</param>
/// <param name="Prediction">The quantity that the model predicts.</param>
/// <param name="Guidance">The guidance.</param>
internal sealed record SamplingRecipe(SigmaSchedule Schedule, Sampler Sampler, Prediction Prediction, Guidance Guidance)
{
    /// <summary>The evaluations of the UNet.</summary>
    public ReadOnlySpan<Evaluation> Evaluations => Sampler.Evaluations;

    /// <summary>The recipe of a request.</summary>
    /// <param name="request">The request, whose names are in the catalogue.</param>
    /// <param name="trained">The schedule that the model was trained on.</param>
    /// <param name="samplers">The samplers.</param>
    public static SamplingRecipe Of(PictureRequest request, TrainedSchedule trained, SamplerCatalog samplers)
    {
        SigmaSchedule schedule = samplers.ScheduleOf(request, trained);
        return new SamplingRecipe(
            schedule,
            samplers.Create(request, schedule),
            Prediction.Of(trained.Prediction),
            new Guidance(request));
    }

    /// <summary>The timestep of every evaluation.</summary>
    public float[] Timesteps()
    {
        float[] timesteps = new float[Evaluations.Length];
        for (int i = 0; i < timesteps.Length; i++) timesteps[i] = Evaluations[i].Timestep;
        return timesteps;
    }
}
