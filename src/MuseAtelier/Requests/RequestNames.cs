namespace MuseAtelier;

/// <summary>The names of samplers and noise sources that a request can use.</summary>
/// <param name="Samplers">The samplers.</param>
/// <param name="NoiseSources">The noise sources.</param>
internal sealed record RequestNames(IReadOnlyList<SamplerName> Samplers, IReadOnlyList<NoiseSource> NoiseSources)
{
    /// <summary>The names of this library's samplers and noise sources.</summary>
    public static RequestNames BuiltIn { get; } = new(SamplerName.BuiltIn, NoiseSource.BuiltIn);
}
