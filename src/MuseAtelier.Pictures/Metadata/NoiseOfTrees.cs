using MuseAtelier.Sampling;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// The noise sources whose Brownian tree draws from another generator than the usual one of their program: AUTOMATIC1111 with the setting
/// <c>RNG: CPU</c>, and ComfyUI's samplers whose names end in <c>_gpu</c>.
/// </summary>
internal static class NoiseOfTrees
{
    public const string
        A1111Cpu = "A1111-CPU",
        ComfyGpu = "Comfy-GPU";

    /// <summary>The source of this library with a name, in any case; null if it has none.</summary>
    public static NoiseSource? Find(string id)
    {
        foreach (NoiseSource source in NoiseSourceCatalog.BuiltIn.Names)
            if (source.Id.Equals(id, StringComparison.OrdinalIgnoreCase)) return source;
        return null;
    }
}
