namespace MuseAtelier;

/// <summary>The folder that checkpoints are exported to cannot be written, as with a home that is read-only.</summary>
public sealed class PackageCacheException(string folder, Exception inner)
    : MuseAtelierException(
        $"the package cache {folder} cannot be written ({inner.Message.TrimEnd('.')})",
        "a folder that may be written to",
        "Name another: --cache FOLDER or the variable MUSE_CACHE for muse, AtelierOptions.CacheFolder for a program; or open a package that was exported before.",
        inner)
{
    /// <summary>The folder.</summary>
    public string Folder { get; } = folder;
}
