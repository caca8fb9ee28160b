namespace MuseAtelier.Sampling;

/// <summary>
/// The samplers that requests can name, each with its id and with its name in AUTOMATIC1111. The one list of them: validation, the command
/// line and the texts of pictures read it.
/// </summary>
public sealed class SamplerCatalog
{
    // Longer texts are no names.
    private const int LongestName = 64;

    // Prefixes and suffixes of names in some programs, which say nothing about the method.
    private static readonly string[] Prefixes = ["sample", "k"];
    private static readonly string[] Suffixes = ["gpu", "scheduler", "discrete"];

    private readonly IReadOnlyList<SamplerRegistration> _samplers;
    private readonly Dictionary<string, SamplerRegistration> _byFoldedName;

    private SamplerCatalog(IReadOnlyList<SamplerRegistration> samplers)
    {
        _samplers = samplers;
        Names = [.. samplers.Select(sampler => sampler.Name)];
        _byFoldedName = [];
        foreach (SamplerRegistration sampler in samplers)
            foreach (string spelling in SpellingsOf(sampler)) _byFoldedName.TryAdd(Fold(spelling), sampler);
    }

    /// <summary>The samplers of this library; the first one is the default.</summary>
    public static SamplerCatalog BuiltIn { get; } = new(
    [
        Make(SamplerName.EulerAncestral, "Euler a", made => new EulerAncestralSampler(made.Schedule, made.EtaOr(1)), "euler_ancestral"),
        Make(SamplerName.Euler, "Euler", made => new EulerSampler(made.Schedule)),
        Make(SamplerName.Dpmpp2M, "DPM++ 2M", made => new Dpmpp2MSampler(made.Schedule), "DPMSolverMultistepScheduler", "dpm_2m"),
        Make(SamplerName.Heun, "Heun", made => new HeunSampler(made.Schedule)),
        Make(SamplerName.Dpm2, "DPM2", made => new Dpm2Sampler(made.Schedule)) with { DiscardsPenultimateSigma = true },
        Make(SamplerName.Dpm2Ancestral, "DPM2 a", made => new Dpm2AncestralSampler(made.Schedule, made.EtaOr(1))) with
        {
            DiscardsPenultimateSigma = true,
        },
        Make(SamplerName.Lms, "LMS", made => new LmsSampler(made.Schedule)),
        Make(
            SamplerName.Dpmpp2SAncestral,
            "DPM++ 2S a",
            made => new Dpmpp2SAncestralSampler(made.Schedule, made.EtaOr(1)),
            "dpm_2s_a",
            "dpm_2s_ancestral"),
        Make(SamplerName.Ddim, "DDIM", MakeDdim),
        Make(
            SamplerName.Dpmpp2MSde,
            "DPM++ 2M SDE",
            made => new Dpmpp2MSdeSampler(made.Schedule, isHeun: false, made.EtaOr(1)),
            "dpm_2m_sde"),
        Make(
            SamplerName.Dpmpp2MSdeHeun,
            "DPM++ 2M SDE Heun",
            made => new Dpmpp2MSdeSampler(made.Schedule, isHeun: true, made.EtaOr(1)),
            "dpm_2m_sde_heun"),
        Make(SamplerName.Dpmpp3MSde, "DPM++ 3M SDE", made => new Dpmpp3MSdeSampler(made.Schedule, made.EtaOr(1)), "dpm_3m_sde"),
        Make(SamplerName.DpmppSde, "DPM++ SDE", made => new DpmppSdeSampler(made.Schedule, made.EtaOr(1)), "DPMSolverSDEScheduler"),
        Make(SamplerName.UniPc, "UniPC", made => new UniPcSampler(made.Schedule, isBh2: false, made.Dialect), "UniPC BH1"),
        Make(
            SamplerName.UniPcBh2,
            "UniPC BH2",
            made => new UniPcSampler(made.Schedule, isBh2: true, made.Dialect),
            "UniPCMultistepScheduler"),
        Make(SamplerName.Lcm, "LCM", made => new LcmSampler(made.Schedule, made.Dialect)),
        Make(SamplerName.Tcd, "TCD", made => new TcdSampler(made.Schedule, made.EtaOr(0.3))),
        Make(SamplerName.Ddpm, "DDPM", made => new DdpmSampler(made.Schedule)),
    ]);

    /// <summary>The names of all samplers, those of this library first.</summary>
    public IReadOnlyList<SamplerName> Names { get; }

    /// <summary>Whether a sampler has the name.</summary>
    /// <param name="name">The name.</param>
    public bool Contains(SamplerName name) => Names.Contains(name);

    /// <summary>The name of a sampler in texts of AUTOMATIC1111's form; the id itself for a sampler that is not in the catalogue.</summary>
    /// <param name="name">The name.</param>
    public string DisplayName(SamplerName name) => Find(name)?.DisplayName ?? name.Id;

    /// <summary>
    /// Finds a sampler by its id, by its name in AUTOMATIC1111 or by another program's name, such as euler_ancestral, sample_euler,
    /// dpmpp_2m_sde_gpu or EulerDiscreteScheduler, in any case and punctuation; null if there is none.
    /// </summary>
    /// <param name="name">The name. One of more than 64 characters is none.</param>
    /// <exception cref="ArgumentNullException">The name is null.</exception>
    public SamplerName? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string text = name.Trim();
        if (text.Length > LongestName) return null;
        SamplerRegistration? found = _samplers.FirstOrDefault(sampler =>
            sampler.Name.Id.Equals(text, StringComparison.OrdinalIgnoreCase)
            || sampler.DisplayName.Equals(text, StringComparison.OrdinalIgnoreCase));
        return (found ?? FindFolded(Fold(text)))?.Name;
    }

    /// <summary>
    /// The ids of the samplers whose names are nearest to a word that is none of them, the nearest first; none if no name is near.
    /// </summary>
    /// <param name="word">The word.</param>
    /// <exception cref="ArgumentNullException">The word is null.</exception>
    public IReadOnlyList<string> Nearest(string word)
    {
        ArgumentNullException.ThrowIfNull(word);
        return NearestNames.Of(word, _samplers.SelectMany(sampler => SpellingsOf(sampler).Select(name => (name, sampler.Name.Id))));
    }

    /// <summary>
    /// The number of evaluations of the UNet that run for a request, in both of its passes if it has a second one. It does not depend on
    /// the model. Null if a sampler is not in the catalogue.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <exception cref="ArgumentOutOfRangeException">The request has fewer than 1 or more than 1000 steps.</exception>
    /// <exception cref="StepCountException">The sampler cannot make so many steps.</exception>
    public int? EvaluationsOf(PictureRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Hires is null) return EvaluationsOf(request, span: null);
        return EvaluationsOf(HiresRules.FirstPassOf(request), span: null)
            + EvaluationsOf(HiresRules.SecondPassOf(request), HiresRules.SpanOf(request));
    }

    /// <summary>The number of evaluations of one pass; null if its sampler is not in the catalogue.</summary>
    /// <param name="request">The request of the pass.</param>
    /// <param name="span">The steps of the schedule and those that run; null means those of the request.</param>
    internal int? EvaluationsOf(PictureRequest request, StepSpan? span) =>
        Contains(request.Sampler) ? RecipeOf(request, span).EvaluationsRun : null;

    /// <summary>
    /// The number of evaluations of the UNet that run for a request and predict for its prompt alone: all without guidance, and those of
    /// the steps outside of the guidance interval. Null if its sampler is not in the catalogue.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The request has fewer than 1 or more than 1000 steps.</exception>
    /// <exception cref="StepCountException">The sampler cannot make so many steps.</exception>
    /// <param name="request">The request of one pass.</param>
    /// <param name="span">The steps of the schedule and those that run; null means those of the request.</param>
    internal int? EvaluationsOfThePromptAlone(PictureRequest request, StepSpan? span = null)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!Contains(request.Sampler)) return null;
        SamplingRecipe recipe = RecipeOf(request, span);
        return recipe.Guidance.IsGuided ? recipe.EvaluationsOfThePromptAlone() : recipe.EvaluationsRun;
    }

    /// <summary>This library's samplers and others.</summary>
    internal static SamplerCatalog With(IReadOnlyList<SamplerRegistration> others) =>
        others.Count == 0 ? BuiltIn : new SamplerCatalog([.. BuiltIn._samplers, .. others]);

    /// <summary>Makes the sampler of a request, whose name is in the catalogue.</summary>
    /// <exception cref="StepCountException">The sampler cannot make so many steps.</exception>
    internal Sampler Create(PictureRequest request, SigmaSchedule schedule)
    {
        if (schedule.Sigmas[^1] > 0) return new StoppedSampler(Create(request, schedule.WithStepToZero()));
        var settings = new SamplerSettings(schedule) { Eta = request.Eta, Dialect = request.Dialect };
        return Find(request.Sampler)?.Create(settings)
            ?? throw new InvalidOperationException($"There is no sampler {request.Sampler}, or its factory returned null.");
    }

    /// <summary>The schedule that a request's sampler follows.</summary>
    internal SigmaSchedule ScheduleOf(PictureRequest request, TrainedSchedule trained)
    {
        if (HasTimestepsOfA1111(request)) return DdimSampler.ScheduleOfA1111(trained, request.Steps);
        ScheduleChoice choice = ScheduleChoice.Of(request, trained.IsContinuous);
        bool usual = Find(request.Sampler) is { DiscardsPenultimateSigma: true };
        bool discards = choice.DiscardsPenultimate(request.Sampler, usual) && request.Steps < TrainedSchedule.Steps;
        if (!discards) return new SigmaSchedule(trained, choice, request.Steps);
        return new SigmaSchedule(trained, choice, request.Steps + 1).WithoutPenultimate();
    }

    // ComfyUI's ddim is Euler's method: comfy/samplers.py, ksampler("euler").
    private static Sampler MakeDdim(SamplerSettings settings) => settings.Dialect switch
    {
        SamplingDialect.Comfy => new EulerSampler(settings.Schedule),
        SamplingDialect.A1111 => new DdimSampler(settings.Schedule, settings.EtaOr(0), end: 1),
        _ => new DdimSampler(settings.Schedule, settings.EtaOr(0)),
    };

    // AUTOMATIC1111 has no schedules for DDIM.
    private static bool HasTimestepsOfA1111(PictureRequest request) =>
        request.Sampler == SamplerName.Ddim
        && request.Dialect == SamplingDialect.A1111
        && request.Schedule is { Spacing: TimestepSpacing.Automatic, Karras: false, Timesteps: null };

    private static SamplerRegistration Make(
        SamplerName name, string displayName, Func<SamplerSettings, Sampler> create, params string[] aliases) =>
        new(name, displayName, create) { Aliases = aliases };

    private static IEnumerable<string> SpellingsOf(SamplerRegistration sampler) =>
        [sampler.Name.Id, sampler.DisplayName, .. sampler.Aliases];

    // AUTOMATIC1111 writes DPM++, ComfyUI dpmpp.
    private static string Fold(string name) => NearestNames.Fold(name.Replace("++", "pp", StringComparison.Ordinal));

    private SamplerRegistration? FindFolded(string folded)
    {
        if (_byFoldedName.TryGetValue(folded, out SamplerRegistration? found)) return found;
        string? prefix = Array.Find(Prefixes, prefix => folded.StartsWith(prefix, StringComparison.Ordinal));
        if (prefix is not null) return FindFolded(folded[prefix.Length..]);
        string? suffix = Array.Find(Suffixes, suffix => folded.EndsWith(suffix, StringComparison.Ordinal));
        return suffix is null ? null : FindFolded(folded[..^suffix.Length]);
    }

    private SamplerRegistration? Find(SamplerName name) => _samplers.FirstOrDefault(sampler => sampler.Name == name);

    // For SDXL's own training, because the number of evaluations does not depend on the model.
    private SamplingRecipe RecipeOf(PictureRequest request, StepSpan? span) =>
        SamplingRecipe.Of(request, new TrainedSchedule(Format.PredictionType.Epsilon, zeroTerminalSnr: false), this, span: span);
}
