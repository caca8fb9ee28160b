using System.Text.Json;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>The names of samplers and noise sources in records.</summary>
internal static class RecordedNames
{
    /// <summary>Euler ancestral's name, the sampler of all records that name none.</summary>
    public static string EulerAncestral => SamplerName.EulerAncestral.Id;

    /// <summary>The name of a request's sampler.</summary>
    public static string SamplerOf(PictureRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.Sampler.Id;
    }

    /// <summary>The name of a request's noise source; this library's own in lower case.</summary>
    public static string NoiseSourceOf(PictureRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        bool isOwn = NoiseSourceCatalog.BuiltIn.Contains(request.NoiseSource);
        return isOwn ? request.NoiseSource.Id.ToLowerInvariant() : request.NoiseSource.Id;
    }

    /// <summary>
    /// A request with the sampler and the noise source that a record names. They need not be among this library's: programs can register
    /// others.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="sampler">The sampler's name, in any case.</param>
    /// <param name="noiseSource">The noise source's name, in any case.</param>
    /// <exception cref="JsonException">A text cannot be a name.</exception>
    public static PictureRequest Apply(PictureRequest request, string sampler, string noiseSource)
    {
        try
        {
            return request with { Sampler = new SamplerName(sampler), NoiseSource = new NoiseSource(noiseSource) };
        }
        catch (ArgumentException exception)
        {
            throw new JsonException($"its sampler or its noise source has no legal name ({exception.Message})", exception);
        }
    }
}
