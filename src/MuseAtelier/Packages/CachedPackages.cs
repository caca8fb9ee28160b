using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Storage;
using MuseAtelier.Format;

namespace MuseAtelier;

/// <summary>Lists and removes the packages of the cache, and the leftovers of killed exports.</summary>
public static class CachedPackages
{
    private const int DigestLetters = 12;

    /// <summary>Lists the content of the cache. Reads manifests and sizes of files, and changes nothing.</summary>
    /// <param name="cacheFolder">The cache; null means <c>MuseAtelier</c> in the user's local application data.</param>
    /// <exception cref="PackageCacheException">The folder cannot be read.</exception>
    public static CacheContent List(string? cacheFolder = null)
    {
        string cache = Path.GetFullPath(cacheFolder ?? PackageCache.DefaultFolder);
        try
        {
            if (!Directory.Exists(cache)) return new CacheContent { Folder = cache, Packages = [], Partials = [] };
            List<CachedPartial> partials = [.. Leftovers.Find(cache).Select(leftover => new CachedPartial
            {
                Name = Path.GetFileName(leftover.Path),
                Bytes = BytesOf(leftover.Path),
                IsBeingWritten = leftover.IsAlive,
            })];
            HashSet<string> others = [.. partials.Select(partial => partial.Name)];
            IEnumerable<string> folders = Directory.GetDirectories(cache)
                .Where(folder => !others.Contains(Path.GetFileName(folder)) && File.Exists(Path.Combine(folder, PackageManifest.FileName)));
            return new CacheContent
            {
                Folder = cache,
                Packages = [.. folders.Order(StringComparer.Ordinal).Select(Describe)],
                Partials = partials
            };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PackageCacheException(cache, exception);
        }
    }

    /// <summary>
    /// Removes a package, unless it is in use or is being exported. The checkpoint stays; the package is exported again when it is needed.
    /// </summary>
    /// <param name="package">A package of <see cref="List"/>.</param>
    /// <returns>Whether it was removed.</returns>
    /// <exception cref="PackageCacheException">The folder cannot be written.</exception>
    public static bool Remove(CachedPackage package)
    {
        ArgumentNullException.ThrowIfNull(package);
        string cache = Path.GetDirectoryName(package.Folder)!;
        try
        {
            using FileLock? exportLock = FileLock.TryTake(package.Folder + PackageCache.LockSuffix);
            if (exportLock is null) return false;
            using (FileStream? alone = PackageUse.TryClaim(package.Folder))
            {
                if (alone is null) return !Directory.Exists(package.Folder);
                // Windows cannot rename a folder in which a file is open.
                if (OperatingSystem.IsWindows()) alone.Dispose();
                PartialFolder.Discard(package.Folder);
            }

            Leftovers.Delete(package.Folder + PackageSource.Suffix);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PackageCacheException(cache, exception);
        }
    }

    /// <summary>Removes what killed exports left behind; what is being written stays.</summary>
    /// <param name="cacheFolder">The cache; null means <c>MuseAtelier</c> in the user's local application data.</param>
    /// <returns>What is gone.</returns>
    public static IReadOnlyList<CachedPartial> RemoveLeftovers(string? cacheFolder = null)
    {
        CacheContent before = List(cacheFolder);
        Leftovers.Clear(before.Folder);
        return [.. before.Partials.Where(partial => !Path.Exists(Path.Combine(before.Folder, partial.Name)))];
    }

    private static CachedPackage Describe(string folder)
    {
        string? checkpoint = PackageSource.Read(folder);
        (string? fault, Lowering? lowering) = Fault(folder, checkpoint);
        return new CachedPackage
        {
            Name = Path.GetFileName(folder),
            Folder = folder,
            Checkpoint = checkpoint,
            Bytes = BytesOf(folder),
            LastUse = PackageSource.LastUse(folder),
            Lowering = lowering,
            StaleBecause = fault,
            IsInUse = PackageUse.IsInUse(folder),
        };
    }

    // The reason that the package is stale, in words; null if it is the current package of its checkpoint.
    private static (string? Fault, Lowering? Lowering) Fault(string folder, string? checkpoint)
    {
        try
        {
            PackageManifest manifest = PackageManifest.Read(folder);
            if (!PackageCache.IsCurrent(folder)) return ("files of it are missing or damaged", manifest.Lowering);
            if (manifest.Vae is not null) return (FaultOfVae(folder, manifest, checkpoint), manifest.Lowering);
            // An overlay has no checkpoint and is opened by its folder, so it is never stale.
            if (manifest.Overlay is not null) return (null, manifest.Lowering);
            if (checkpoint is null) return ("its checkpoint is not known: an earlier version exported it", manifest.Lowering);
            if (!ModelFolder.IsModel(checkpoint)) return ("its checkpoint is gone", manifest.Lowering);
            var options = new ExportOptions { Lowering = manifest.Lowering, Precisions = manifest.Precisions };
            string name = PackageKey.Of(checkpoint, CheckpointIdentity.Of(checkpoint), options);
            return (folder.EndsWith(name[^DigestLetters..], StringComparison.Ordinal) ? null
                : "its checkpoint was changed, or another version of muse exported it", manifest.Lowering);
        }
        catch (Exception exception) when (exception is PackageException or PackageCacheException or CheckpointException)
        {
            return (exception.Message, null);
        }
    }

    // The file that the overlay of a VAE was made from takes the place of a checkpoint.
    private static string? FaultOfVae(string folder, PackageManifest manifest, string? vae)
    {
        if (vae is null) return "the file of its VAE is not known";
        if (!File.Exists(vae)) return "the file of its VAE is gone";
        string name = PackageKey.OfVae(manifest.Overlay!.BaseFolder, CheckpointIdentity.Of(vae));
        return folder.EndsWith(name[^DigestLetters..], StringComparison.Ordinal)
            ? null
            : "the file of its VAE was changed, or another version of muse exported it";
    }

    private static long BytesOf(string path)
    {
        try
        {
            return File.Exists(path) ? new FileInfo(path).Length
                : new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The folder is being written or removed, or belongs to another user.
            return 0;
        }
    }
}

/// <summary>The content of the cache.</summary>
public sealed record CacheContent
{
    internal CacheContent() { }

    /// <summary>Full path of the cache.</summary>
    public required string Folder { get; init; }

    /// <summary>The packages, by name.</summary>
    public required IReadOnlyList<CachedPackage> Packages { get; init; }

    /// <summary>The folders that exports are writing, and the leftovers of killed exports.</summary>
    public required IReadOnlyList<CachedPartial> Partials { get; init; }
}

/// <summary>A package of the cache.</summary>
public sealed record CachedPackage
{
    internal CachedPackage() { }

    /// <summary>Name of its folder.</summary>
    public required string Name { get; init; }

    /// <summary>Full path of its folder.</summary>
    public required string Folder { get; init; }

    /// <summary>Full path of the checkpoint that it was made from; null if unknown.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>Bytes of all its files.</summary>
    public required long Bytes { get; init; }

    /// <summary>The time at which an atelier last opened it, in UTC; null if unknown.</summary>
    public DateTime? LastUse { get; init; }

    /// <summary>The kind of device for which it was lowered; null if its manifest cannot be read.</summary>
    public Lowering? Lowering { get; init; }

    /// <summary>The reason that the package is stale, in words; null if it is the current package of its checkpoint.</summary>
    public string? StaleBecause { get; init; }

    /// <summary>Whether an atelier of any process has it open.</summary>
    public required bool IsInUse { get; init; }
}

/// <summary>A folder that an export is writing, or that a killed one left behind.</summary>
public sealed record CachedPartial
{
    internal CachedPartial() { }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Bytes of all its files.</summary>
    public required long Bytes { get; init; }

    /// <summary>Whether the process that writes it still runs.</summary>
    public required bool IsBeingWritten { get; init; }
}
