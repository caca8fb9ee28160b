using MuseAtelier.Sampling;

namespace MuseAtelier.Checking;

/// <summary>Finds samplers of the catalogue by the names that k-diffusion's functions have.</summary>
internal static class CheckedSamplers
{
    /// <summary>The sampler; null if the catalogue has none of this name.</summary>
    public static SamplerName? Find(string name) => name switch
    {
        "euler_ancestral" => SamplerName.EulerAncestral,
        _ => SamplerCatalog.BuiltIn.Find(name),
    };
}
