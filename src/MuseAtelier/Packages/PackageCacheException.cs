using MuseAtelier.Export.Storage;
using MuseAtelier.Format;

namespace MuseAtelier;

/// <summary>
/// The folder for exported packages cannot be used: it is read-only, or it has content of another user without read permission.
/// </summary>
public sealed class PackageCacheException : MuseAtelierException
{
    private const string OtherCache =
        "name another: --cache FOLDER or the variable MUSE_CACHE for muse, AtelierOptions.CacheFolder for a program";

    internal PackageCacheException(string folder, Exception inner)
        : this(folder, inner, OpenFileLimit.IsReached(inner))
    {
    }

    private PackageCacheException(string folder, Exception inner, bool isOutOfFiles)
        : base(
            isOutOfFiles ? OpenFileLimit.Found : $"the package cache {folder} cannot be written ({inner.Message.TrimEnd('.')})",
            isOutOfFiles ? OpenFileLimit.Expected : "a folder that may be written to",
            isOutOfFiles ? OpenFileLimit.Remedy
                : $"Make it writable for this user, or {OtherCache}; or open a package that was exported before.",
            inner) => Folder = folder;

    private PackageCacheException(string folder, string found, Exception inner)
        : base(found, "a package that this user may read and replace",
            $"Let its owner give it the rights of the cache folder (chmod -R, see docs/cache.md), or {OtherCache}.", inner) =>
            Folder = folder;

    /// <summary>The folder.</summary>
    public string Folder { get; }

    internal static PackageCacheException OfPackage(string folder, string package, Exception inner) =>
        new(folder, $"the package {package} in the cache may not be read by this user ({inner.Message.TrimEnd('.')})", inner);
}
