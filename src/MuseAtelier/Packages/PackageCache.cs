using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Storage;
using MuseAtelier.Format;

namespace MuseAtelier;

/// <summary>
/// Finds the package of a model. If there is none, the checkpoint is exported into the cache. A lock file makes processes that need the
/// same package wait for each other. On a file system without locks each process exports its own, and the first complete one is kept.
/// </summary>
internal static class PackageCache
{
    /// <summary>The suffix that the name of a lock adds to its package's name.</summary>
    public const string LockSuffix = ".lock";

    private const int Attempts = 20;
    private static readonly TimeSpan WaitInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>The default cache.</summary>
    public static string DefaultFolder =>
        Path.Combine(Environment.GetFolderPath(
        Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "MuseAtelier", "packages");

    /// <summary>The folder of the model's package for the backend's lowering, with the chosen VAE.</summary>
    public static string Resolve(
        string model, PackageChoice choice, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        // A VAE that cannot be used is refused before the model is exported.
        if (choice.VaeFile is { } vae) VaeFile.Open(vae).Dispose();
        string folder = ResolveOwn(model, choice, progress, cancellationToken);
        return choice.VaeFile is null ? folder : VaePackages.Resolve(folder, choice.VaeFile, progress, cancellationToken);
    }

    private static string ResolveOwn(
        string model, PackageChoice choice, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        if (IsPackage(model)) return Path.TrimEndingDirectorySeparator(Path.GetFullPath(model));
        if (!ModelFolder.IsModel(model)) TensorFile.Open(model).Dispose();

        ExportOptions export = ExportOf(choice);
        string cache = CacheOf(choice), folder = Path.Combine(cache, PackageKey.Of(model, CheckpointIdentity.Of(model), export));
        if (!IsCurrent(folder))
        {
            // An export that fails or is stopped must not leave a new cache behind.
            using var newFolders = new NewFolders(folder);
            using FileLock? exportLock = AwaitLock(cache, folder, progress, cancellationToken);
            if (exportLock is not null && !IsCurrent(folder))
            {
                IProgress<ExportProgress>? report = ReportTo(progress);
                var place = new CachePlace(folder, IsCurrent);
                if (choice.IsUpscaler) CheckpointExporter.ExportUpscaler(model, place, export, report, cancellationToken);
                else CheckpointExporter.Export(model, place, export, report, cancellationToken);
                PackageSource.Write(folder, model);
            }
        }

        PackageSource.Use(folder);
        return folder;
    }

    /// <summary>
    /// The folder of the model's package for the backend's lowering, with the chosen VAE; null if it must be exported first.
    /// </summary>
    public static string? Find(string model, PackageChoice choice)
    {
        string? folder = FindOwn(model, choice);
        return folder is null || choice.VaeFile is null ? folder : VaePackages.Find(folder, choice.VaeFile);
    }

    private static string? FindOwn(string model, PackageChoice choice)
    {
        if (IsPackage(model)) return Path.TrimEndingDirectorySeparator(Path.GetFullPath(model));
        if (!ModelFolder.IsModel(model)) return null;
        string folder = Path.Combine(CacheOf(choice), PackageKey.Of(model, CheckpointIdentity.Of(model), ExportOf(choice)));
        return IsCurrent(folder) ? folder : null;
    }

    /// <summary>
    /// Whether a folder of the cache holds a complete package. A damaged package does not count, so that it is exported again.
    /// </summary>
    /// <exception cref="PackageCacheException">The folder may not be read, so this user could not replace it either.</exception>
    public static bool IsCurrent(string folder)
    {
        try
        {
            if (!Directory.Exists(folder)) return false;
            // Directory.Exists alone is true for a folder whose content may not be read.
            foreach (string _ in Directory.EnumerateFileSystemEntries(folder)) break;
            PackageManifest manifest = PackageManifest.Read(folder);
            return manifest.Files.All(file =>
                new FileInfo(manifest.PathOf(folder, file.Name)) is { Exists: true } info && info.Length == file.Bytes);
        }
        catch (PackageUnreadableException exception) when (exception.InnerException is UnauthorizedAccessException denied)
        {
            throw PackageCacheException.OfPackage(Path.GetDirectoryName(folder)!, Path.GetFileName(folder), denied);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw PackageCacheException.OfPackage(Path.GetDirectoryName(folder)!, Path.GetFileName(folder), exception);
        }
        catch (Exception exception) when (exception is PackageException or IOException)
        {
            return false;
        }
    }

    /// <summary>Passes the progress of an export on.</summary>
    public static IProgress<ExportProgress>? ReportTo(IProgress<LoadProgress>? progress) =>
        progress is null ? null : new ExportReport(progress);

    /// <summary>Waits for the lock of a package's export; null if another process completed the package while this one waited.</summary>
    public static FileLock? AwaitLock(string cache, string folder, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        for (bool isTold = false; ; isTold = true)
        {
            if (TryTakeLock(cache, folder) is { } exportLock) return exportLock;
            if (!isTold) progress?.Report(new LoadProgress("waiting for another process that exports this checkpoint", 0));
            if (cancellationToken.WaitHandle.WaitOne(WaitInterval)) cancellationToken.ThrowIfCancellationRequested();
            if (IsCurrent(folder)) return null;
        }
    }

    private static FileLock? TryTakeLock(string cache, string folder)
    {
        string path = folder + LockSuffix;
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                Directory.CreateDirectory(cache);
                FileLock? exportLock = FileLock.TryTake(path);
                if (exportLock is not null) SharedRights.TryApplyToFile(path, cache);
                return exportLock;
            }
            catch (DirectoryNotFoundException) when (attempt < Attempts)
            {
                // Another process stopped its export and removed the empty cache that it had created.
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new PackageCacheException(cache, exception);
            }
        }
    }

    private static bool IsPackage(string model) => Directory.Exists(model) && File.Exists(Path.Combine(model, PackageManifest.FileName));

    private static ExportOptions ExportOf(PackageChoice choice) =>
        new() { Lowering = choice.Lowering, Precisions = choice.Precisions };

    private static string CacheOf(PackageChoice choice) => Path.GetFullPath(choice.CacheFolder ?? DefaultFolder);

    private sealed class ExportReport(IProgress<LoadProgress> progress) : IProgress<ExportProgress>
    {
        public void Report(ExportProgress value) => progress.Report(new LoadProgress($"exporting {value.Phase}", value.Fraction));
    }
}
