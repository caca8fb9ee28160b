using MuseAtelier.Sampling;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>The names of noise sources in texts.</summary>
internal static class NoiseSourceNames
{
    /// <summary>The source of this library with a name, in any case; null if it has none.</summary>
    public static NoiseSource? Find(string id)
    {
        foreach (NoiseSource source in NoiseSourceCatalog.BuiltIn.Names)
            if (source.Id.Equals(id, StringComparison.OrdinalIgnoreCase)) return source;
        return null;
    }
}
