using System.Text.Json;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>The names of samplers and noise sources in records and in AUTOMATIC1111's text.</summary>
internal static class RecordedNames
{
    /// <summary>Euler ancestral's name in records.</summary>
    public const string EulerAncestral = "euler_a";

    /// <summary>The name of a request's sampler in records.</summary>
    public static string SamplerOf(PictureRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return EulerAncestral;
    }

    /// <summary>The name of a request's sampler in AUTOMATIC1111's text.</summary>
    public static string SamplerInParameters(PictureRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return "Euler a";
    }

    /// <summary>The name of a request's noise source in records.</summary>
    public static string NoiseSourceOf(PictureRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.NoiseSource.ToString().ToLowerInvariant();
    }

    /// <summary>A request with the sampler and the noise source that a record names.</summary>
    /// <param name="request">The request.</param>
    /// <param name="sampler">The sampler's name.</param>
    /// <param name="noiseSource">The noise source's name, in any case.</param>
    /// <exception cref="JsonException">A name is unknown.</exception>
    public static PictureRequest Apply(PictureRequest request, string sampler, string noiseSource)
    {
        if (sampler != EulerAncestral) throw new JsonException($"its sampler is unknown; {EulerAncestral} is known");
        NoiseSource[] known = Enum.GetValues<NoiseSource>();
        int index = Array.FindIndex(known, source => source.ToString().Equals(noiseSource, StringComparison.OrdinalIgnoreCase));
        return index >= 0 ? request with { NoiseSource = known[index] } : throw new JsonException("its noise source is unknown");
    }
}
