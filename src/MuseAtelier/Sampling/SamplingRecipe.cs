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

    /// <summary>The program whose rules hold.</summary>
    public SamplingDialect Dialect { get; init; }

    /// <summary>
    /// Index of the first evaluation that runs: 0, or for a picture that is painted from another one the first one of a later step. As many
    /// as there are evaluations if none runs.
    /// </summary>
    public int FirstEvaluation { get; private init; }

    /// <summary>The number of evaluations that run.</summary>
    public int EvaluationsRun => Evaluations.Length - FirstEvaluation;

    /// <summary>
    /// The factor of the noise on an existing picture, 0 if no evaluation runs. It is the first noise level in all programs, except in
    /// ComfyUI where that is the largest trained one (comfy/model_sampling.py, EPS.noise_scaling).
    /// </summary>
    public float NoiseScaleOverPicture
    {
        get
        {
            if (EvaluationsRun == 0) return 0;
            return Dialect == SamplingDialect.Comfy && FirstEvaluation == 0 ? InitialNoiseScale : Evaluations[FirstEvaluation].Sigma;
        }
    }

    /// <summary>
    /// The noise levels over which Brownian noise extends: those of the steps that run in ComfyUI, which cuts the schedule before it
    /// samples, and the whole schedule's in the others (modules/sd_samplers_kdiffusion.py, sample_img2img).
    /// </summary>
    public ReadOnlySpan<float> BrownianSigmas => Dialect == SamplingDialect.Comfy ? Schedule.Sigmas[FirstStep..] : Schedule.Sigmas;

    // The step of the first evaluation that runs; the number of steps if none runs.
    private int FirstStep => EvaluationsRun == 0 ? Schedule.Steps : Evaluations[FirstEvaluation].Step;

    /// <summary>The rescaling of guided predictions; null if they are not rescaled.</summary>
    public GuidanceRescale? Rescale { get; init; }

    /// <summary>All evaluations of the UNet, of which those from <see cref="FirstEvaluation"/> on run.</summary>
    public ReadOnlySpan<Evaluation> Evaluations => Sampler.Evaluations;

    /// <summary>The recipe of a request.</summary>
    /// <param name="request">The request, whose names are in the catalogue.</param>
    /// <param name="trained">The schedule that the model was trained on.</param>
    /// <param name="samplers">The samplers.</param>
    /// <param name="weights">The weight of each part of the prompt; null means one part of weight 1.</param>
    /// <param name="span">The steps of the schedule and those that run; null means those of the request.</param>
    /// <exception cref="StepCountException">The schedule would have too many steps, or the sampler cannot make so many.</exception>
    public static SamplingRecipe Of(
        PictureRequest request,
        TrainedSchedule trained,
        SamplerCatalog samplers,
        IReadOnlyList<float>? weights = null,
        StepSpan? span = null)
    {
        (int whole, int run) = span ?? StepSpan.Of(request);
        if (whole != request.Steps) request = request with { Steps = whole };
        SigmaSchedule schedule = samplers.ScheduleOf(request, trained);
        Sampler sampler = samplers.Create(request, schedule);
        int steps = sampler.Evaluations[^1].Step + 1;
        return new SamplingRecipe(schedule, sampler, Prediction.Of(trained.Prediction), new Guidance(request, weights, steps))
        {
            InitialNoiseScale = schedule.InitialNoiseScale,
            Dialect = request.Dialect,
            FirstEvaluation = FirstOf(sampler, FirstStepOf(request.Dialect, steps, whole, run)),
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

    /// <summary>
    /// What every evaluation is conditioned on. Prompts that change count the steps that run, as AUTOMATIC1111 does
    /// (modules/sd_samplers_cfg_denoiser.py, CFGDenoiser.step).
    /// </summary>
    /// <param name="setOfStep">The index of each step's set of prompts; the last one is that of all later steps.</param>
    public EvaluationCondition[] Conditions(IReadOnlyList<int> setOfStep)
    {
        var conditions = new EvaluationCondition[Evaluations.Length];
        for (int i = 0; i < conditions.Length; i++)
        {
            Evaluation evaluation = Evaluations[i];
            int set = setOfStep[Math.Clamp(evaluation.Step - FirstStep, 0, setOfStep.Count - 1)];
            conditions[i] = new EvaluationCondition(evaluation.Timestep, set, HasAllRows(evaluation.Step));
        }

        return conditions;
    }

    /// <summary>
    /// The number of evaluations that run and have a row for each picture instead of the rows of all its prompts.
    /// </summary>
    public int EvaluationsOfThePromptAlone()
    {
        int count = 0;
        foreach (Evaluation evaluation in Evaluations[FirstEvaluation..])
            if (!HasAllRows(evaluation.Step)) count++;
        return count;
    }

    // Some schedules have another number of steps than was asked for. ComfyUI counts the steps that run from the end of the schedule, the
    // others count those that do not run from its beginning. If any runs, the last one does.
    private static int FirstStepOf(SamplingDialect dialect, int steps, int whole, int run)
    {
        if (run >= whole) return 0;
        if (run == 0) return steps;
        return Math.Clamp((dialect == SamplingDialect.Comfy ? steps : whole) - run, 0, steps - 1);
    }

    private static int FirstOf(Sampler sampler, int step)
    {
        int first = 0;
        while (first < sampler.Evaluations.Length && sampler.Evaluations[first].Step < step) first++;
        return first;
    }

    // If no evaluation is guided, all of them have all rows of the batch.
    private bool HasAllRows(int step) => Guidance.IsGuidedAt(step) || !Guidance.IsGuided;
}
