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

    /// <summary>The number of evaluations of the UNet for a request. It does not depend on the model.</summary>
    public int EvaluationsOf(PictureRequest request) =>
        Samplers.EvaluationsOf(request) ?? throw new InvalidOperationException($"There is no sampler {request.Sampler}.");

    /// <summary>The noise of each picture.</summary>
    public PictureNoise[] NoiseOf(IReadOnlyList<PictureRequest> pictures) => [.. pictures.Select(NoiseSources.Create)];
}
