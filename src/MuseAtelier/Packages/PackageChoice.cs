using MuseAtelier.Format;

namespace MuseAtelier;

/// <summary>How a model's package is found, exported and checked.</summary>
/// <param name="Lowering">The operators that the package's graphs must use.</param>
/// <param name="Precisions">The precisions that the package must have; null accepts any, and exports with the default ones.</param>
/// <param name="CacheFolder">The folder for exported packages; null means <see cref="PackageCache.DefaultFolder"/>.</param>
/// <param name="VerifiesDigests">Whether the SHA-256 of every file is compared with the manifest.</param>
internal sealed record PackageChoice(Lowering Lowering, Precisions? Precisions, string? CacheFolder, bool VerifiesDigests)
{
    /// <summary>Whether the model is an upscaler, and not one that paints.</summary>
    public bool IsUpscaler { get; init; }

    /// <summary>Path of the VAE's file that replaces the model's own; null means the model's own.</summary>
    public string? VaeFile { get; init; }
}
