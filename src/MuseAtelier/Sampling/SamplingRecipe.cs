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
    /// <param name="weights">The weight of each part of the prompt; null means one part of weight 1.</param>
    public static SamplingRecipe Of(
        PictureRequest request, TrainedSchedule trained, SamplerCatalog samplers, IReadOnlyList<float>? weights = null)
    {
        SigmaSchedule schedule = samplers.ScheduleOf(request, trained);
        Sampler sampler = samplers.Create(request, schedule);
        int steps = sampler.Evaluations[^1].Step + 1;
        return new SamplingRecipe(schedule, sampler, Prediction.Of(trained.Prediction), new Guidance(request, weights, steps))
        {
            InitialNoiseScale = schedule.InitialNoiseScale,
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

    /// <summary>What every evaluation is conditioned on.</summary>
    /// <param name="setOfStep">The index of each step's set of prompts; the last one is that of all later steps.</param>
    public EvaluationCondition[] Conditions(IReadOnlyList<int> setOfStep)
    {
        var conditions = new EvaluationCondition[Evaluations.Length];
        for (int i = 0; i < conditions.Length; i++)
        {
            Evaluation evaluation = Evaluations[i];
            int set = setOfStep[Math.Min(evaluation.Step, setOfStep.Count - 1)];
            conditions[i] = new EvaluationCondition(evaluation.Timestep, set, HasAllRows(evaluation.Step));
        }

        return conditions;
    }

    /// <summary>The number of evaluations that have a row for each picture instead of the rows of all its prompts.</summary>
    public int EvaluationsOfThePromptAlone()
    {
        int count = 0;
        foreach (Evaluation evaluation in Evaluations)
            if (!HasAllRows(evaluation.Step)) count++;
        return count;
    }

    // If no evaluation is guided, all of them have all rows of the batch.
    private bool HasAllRows(int step) => Guidance.IsGuidedAt(step) || !Guidance.IsGuided;
}
