namespace MuseAtelier.Sampling;

/// <summary>
/// The samplers that requests can name, each with its id and with its name in AUTOMATIC1111. The one list of them: validation, the command
/// line and the texts of pictures read it.
/// </summary>
public sealed class SamplerCatalog
{
    private readonly IReadOnlyList<SamplerRegistration> _samplers;

    private SamplerCatalog(IReadOnlyList<SamplerRegistration> samplers)
    {
        _samplers = samplers;
        Names = [.. samplers.Select(sampler => sampler.Name)];
    }

    /// <summary>The samplers of this library; the first one is the default.</summary>
    public static SamplerCatalog BuiltIn { get; } = new(
    [
        new SamplerRegistration(SamplerName.EulerAncestral, "Euler a", settings => new EulerAncestralSampler(settings.Schedule)),
        new SamplerRegistration(SamplerName.Euler, "Euler", settings => new EulerSampler(settings.Schedule)),
        new SamplerRegistration(SamplerName.Dpmpp2M, "DPM++ 2M", settings => new Dpmpp2MSampler(settings.Schedule)),
        new SamplerRegistration(SamplerName.Heun, "Heun", settings => new HeunSampler(settings.Schedule)),
        new SamplerRegistration(SamplerName.Dpm2, "DPM2", settings => new Dpm2Sampler(settings.Schedule)) { DiscardsPenultimateSigma = true },
        new SamplerRegistration(SamplerName.Dpm2Ancestral, "DPM2 a", settings => new Dpm2AncestralSampler(settings.Schedule))
        {
            DiscardsPenultimateSigma = true,
        },
        new SamplerRegistration(SamplerName.Lms, "LMS", settings => new LmsSampler(settings.Schedule)),
        new SamplerRegistration(SamplerName.Dpmpp2SAncestral, "DPM++ 2S a", settings => new Dpmpp2SAncestralSampler(settings.Schedule)),
        new SamplerRegistration(SamplerName.Ddim, "DDIM", settings => new DdimSampler(settings.Schedule)),
        new SamplerRegistration(SamplerName.Dpmpp2MSde, "DPM++ 2M SDE", settings => new Dpmpp2MSdeSampler(settings.Schedule, isHeun: false)),
        new SamplerRegistration(SamplerName.Dpmpp2MSdeHeun, "DPM++ 2M SDE Heun", settings => new Dpmpp2MSdeSampler(settings.Schedule, isHeun: true)),
        new SamplerRegistration(SamplerName.Dpmpp3MSde, "DPM++ 3M SDE", settings => new Dpmpp3MSdeSampler(settings.Schedule)),
    ]);

    /// <summary>The names of all samplers, those of this library first.</summary>
    public IReadOnlyList<SamplerName> Names { get; }

    /// <summary>Whether a sampler has the name.</summary>
    public bool Contains(SamplerName name) => Names.Contains(name);

    /// <summary>The name of a sampler in texts of AUTOMATIC1111's form; the id itself for a sampler that is not in the catalogue.</summary>
    public string DisplayName(SamplerName name) => Find(name)?.DisplayName ?? name.Id;

    /// <summary>Finds a sampler by its id or by its name in AUTOMATIC1111, in any case; null if there is none.</summary>
    public SamplerName? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string text = name.Trim();
        SamplerRegistration? found = _samplers.FirstOrDefault(sampler =>
            sampler.Name.Id.Equals(text, StringComparison.OrdinalIgnoreCase)
            || sampler.DisplayName.Equals(text, StringComparison.OrdinalIgnoreCase));
        return found?.Name;
    }

    /// <summary>
    /// The number of evaluations of the UNet for a request, which does not depend on the model; null if its sampler is not in the
    /// catalogue.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The request has fewer than 1 or more than 1000 steps.</exception>
    /// <exception cref="StepCountException">The sampler cannot make so many steps.</exception>
    public int? EvaluationsOf(PictureRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!Contains(request.Sampler)) return null;
        var trained = new TrainedSchedule(Packages.PredictionType.Epsilon, zeroTerminalSnr: false);
        return SamplingRecipe.Of(request, trained, this).Evaluations.Length;
    }

    /// <summary>
    /// The number of evaluations of the UNet for a request that predict for its prompt alone: all without guidance, and those of the steps
    /// outside of the guidance interval. Null if its sampler is not in the catalogue.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The request has fewer than 1 or more than 1000 steps.</exception>
    /// <exception cref="StepCountException">The sampler cannot make so many steps.</exception>
    public int? EvaluationsOfThePromptAlone(PictureRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!Contains(request.Sampler)) return null;
        var trained = new TrainedSchedule(Packages.PredictionType.Epsilon, zeroTerminalSnr: false);
        var recipe = SamplingRecipe.Of(request, trained, this);
        return recipe.Guidance.IsGuided ? recipe.EvaluationsOfThePromptAlone() : recipe.Evaluations.Length;
    }

    /// <summary>This library's samplers and others.</summary>
    internal static SamplerCatalog With(IReadOnlyList<SamplerRegistration> others) =>
        others.Count == 0 ? BuiltIn : new SamplerCatalog([.. BuiltIn._samplers, .. others]);

    /// <summary>Makes the sampler of a request, whose name is in the catalogue.</summary>
    internal Sampler Create(PictureRequest request, SigmaSchedule schedule)
    {
        var settings = new SamplerSettings(schedule) { Eta = request.Eta, Dialect = request.Dialect };
        return Find(request.Sampler)?.Create(settings)
            ?? throw new InvalidOperationException($"There is no sampler {request.Sampler}, or its factory returned null.");
    }

    /// <summary>The schedule that a request's sampler follows.</summary>
    internal SigmaSchedule ScheduleOf(PictureRequest request, TrainedSchedule trained)
    {
        bool discards = Find(request.Sampler) is { DiscardsPenultimateSigma: true } && request.Steps < TrainedSchedule.Steps;
        if (!discards) return new SigmaSchedule(trained, request.Schedule, request.Steps);
        return new SigmaSchedule(trained, request.Schedule, request.Steps + 1).WithoutPenultimate();
    }

    private SamplerRegistration? Find(SamplerName name) => _samplers.FirstOrDefault(sampler => sampler.Name == name);
}
