using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Packaging;
using MuseAtelier.Export.Storage;

namespace MuseAtelier;

/// <summary>
/// Finds the overlay that replaces the VAE of a package, which lies beside that package. If there is none, the VAE is exported into one.
/// </summary>
internal static class VaePackages
{
    /// <summary>The folder of the overlay.</summary>
    /// <param name="basis">Full path of the package's folder.</param>
    /// <param name="vaeFile">Path of the VAE's file.</param>
    /// <param name="progress">Receives reports on the calling thread.</param>
    /// <param name="cancellationToken">Stops an export.</param>
    public static string Resolve(
        string basis, string vaeFile, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        string folder = FolderOf(basis, vaeFile);
        if (!PackageCache.IsCurrent(folder))
        {
            using FileLock? exportLock = PackageCache.AwaitLock(Path.GetDirectoryName(folder)!, folder, progress, cancellationToken);
            if (exportLock is not null && !PackageCache.IsCurrent(folder))
            {
                var place = new CachePlace(folder, PackageCache.IsCurrent);
                VaeOverlay.Write(basis, vaeFile, place, PackageCache.ReportTo(progress), cancellationToken);
                PackageSource.Write(folder, vaeFile);
            }
        }

        PackageSource.Use(folder);
        return folder;
    }

    /// <summary>The folder of the overlay; null if the VAE must be exported first.</summary>
    public static string? Find(string basis, string vaeFile)
    {
        string folder = FolderOf(basis, vaeFile);
        return PackageCache.IsCurrent(folder) ? folder : null;
    }

    private static string FolderOf(string basis, string vaeFile)
    {
        // Throws what says why the path is not one of a file.
        if (!File.Exists(vaeFile)) TensorFile.Open(vaeFile).Dispose();
        string name = PackageKey.OfVae(basis, CheckpointIdentity.Of(vaeFile));
        return Path.Combine(Path.GetDirectoryName(basis)!, name);
    }
}
