using MuseAtelier.Format;
using MuseAtelier.Recipe;

namespace MuseAtelier.Sampling;

/// <summary>The samplers and noise sources that the requests of an atelier can name.</summary>
/// <param name="Samplers">The samplers.</param>
/// <param name="NoiseSources">The noise sources.</param>
internal sealed record SamplingCatalogs(SamplerCatalog Samplers, NoiseSourceCatalog NoiseSources)
{
    /// <summary>Those of this library.</summary>
    public static SamplingCatalogs BuiltIn { get; } = new(SamplerCatalog.BuiltIn, NoiseSourceCatalog.BuiltIn);

    /// <summary>The names in both catalogues.</summary>
    public RequestNames Names { get; } = new(Samplers.Names, NoiseSources.Names);

    /// <summary>Those of this library and others.</summary>
    public static SamplingCatalogs With(
        IReadOnlyList<SamplerRegistration> samplers, IReadOnlyList<NoiseSourceRegistration> noiseSources) =>
        new(SamplerCatalog.With(samplers), NoiseSourceCatalog.With(noiseSources));

    /// <summary>The number of evaluations of the UNet that run for a request. It does not depend on the model.</summary>
    /// <param name="request">The request.</param>
    /// <param name="span">The steps of the schedule and those that run; null means those of the request.</param>
    public int EvaluationsOf(PictureRequest request, StepSpan? span = null) =>
        (span is null ? Samplers.EvaluationsOf(request) : Samplers.EvaluationsOf(request, span))
            ?? throw new InvalidOperationException($"There is no sampler {request.Sampler}.");

    /// <summary>
    /// Bytes of host memory that Brownian noise takes for one picture of a request, 0 if its sampler draws none. Taken for the noise levels
    /// of SDXL; a model with larger ones takes up to half as much again.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="span">The steps of the schedule and those that run; null means those of the request.</param>
    public long NoiseBytesOf(PictureRequest request, StepSpan? span = null)
    {
        var trained = new TrainedSchedule(PredictionType.Epsilon, zeroTerminalSnr: false);
        SamplingRecipe recipe = SamplingRecipe.Of(request, trained, Samplers, span: span);
        if (recipe.EvaluationsRun == 0) return 0;
        if (NoiseSources.Create(request).Brownian?.Serves(recipe.Sampler.StepNoise) != true) return 0;
        long latents = 4L * (request.Height / LatentGeometry.VaeScaleFactor) * (request.Width / LatentGeometry.VaeScaleFactor);
        return new BrownianPlan(recipe.Sampler, recipe.BrownianSigmas, recipe.FirstEvaluation).Slots * latents * sizeof(float);
    }

    /// <summary>The noise of each picture.</summary>
    public PictureNoise[] NoiseOf(IReadOnlyList<PictureRequest> pictures) => [.. pictures.Select(NoiseSources.Create)];
}
