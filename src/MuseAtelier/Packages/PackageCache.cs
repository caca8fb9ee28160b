using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Packages;

namespace MuseAtelier;

/// <summary>Finds the package of a model, and makes it where there is none: a checkpoint is exported once into the cache.</summary>
internal static class PackageCache
{
    private static readonly Lock Exporting = new();

    /// <summary>The folder of the model's package for the backend's lowering.</summary>
    public static string Resolve(string model, AtelierOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        if (Find(model, options) is { } found) return found;
        if (!File.Exists(model)) SafetensorsFile.Open(model).Dispose();

        ExportOptions export = ExportOf(options);
        string cache = CacheOf(options), folder = Path.Combine(cache, Key(model, export));
        // An export that fails or is stopped leaves no cache behind that was not there.
        using var newFolders = new NewFolders(folder);
        RequireWritable(cache);
        lock (Exporting)
        {
            // Two ateliers that are opened at once share the package that the first of them makes.
            if (!IsCurrent(folder)) CheckpointExporter.Export(model, folder, export, progress is null ? null : new ExportReport(progress), cancellationToken);
        }

        return folder;
    }

    /// <summary>The folder of the model's package for the backend's lowering; null where it has to be made first.</summary>
    public static string? Find(string model, AtelierOptions options)
    {
        if (Directory.Exists(model) && File.Exists(Path.Combine(model, PackageManifest.FileName))) return Path.GetFullPath(model);
        if (!File.Exists(model)) return null;
        string folder = Path.Combine(CacheOf(options), Key(model, ExportOf(options)));
        return IsCurrent(folder) ? folder : null;
    }

    private static void RequireWritable(string cache)
    {
        try
        {
            Directory.CreateDirectory(cache);
            File.Create(Path.Combine(cache, $"{Environment.ProcessId}.partial"), 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PackageCacheException(cache, exception);
        }
    }

    private static ExportOptions ExportOf(AtelierOptions options) => new() { Lowering = options.Backend.Lowering, Precisions = options.Precisions };

    private static string CacheOf(AtelierOptions options) => options.CacheFolder ?? DefaultFolder;

    private static string DefaultFolder => Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "MuseAtelier", "packages");

    // Name, size, time and exporter stand for the content: hashing 7 GB at every start would cost more than loading them.
    private static string Key(string checkpoint, ExportOptions options)
    {
        var info = new FileInfo(checkpoint);
        string identity = FormattableString.Invariant($"{info.FullName}|{info.Length}|{info.LastWriteTimeUtc.Ticks}|{CheckpointExporter.Version}|{PackageManifest.CurrentFormatVersion}");
        string hash = Sha256.Hash(System.Text.Encoding.UTF8.GetBytes(identity));
        string precisions = options.Precisions is { } chosen && chosen != Precisions.Of(options.Lowering) ? $"-{chosen.Code()}" : "";
        return $"{Path.GetFileNameWithoutExtension(checkpoint)}-{(options.Lowering == Lowering.Cuda ? "cuda" : "portable")}{precisions}-{hash[..12]}";
    }

    // A cached package that cannot be read is made again rather than complained about.
    private static bool IsCurrent(string folder)
    {
        try
        {
            PackageManifest manifest = PackageManifest.Read(folder);
            return manifest.Files.All(file => new FileInfo(Path.Combine(folder, file.Name)) is { Exists: true } info && info.Length == file.Bytes);
        }
        catch (PackageException)
        {
            return false;
        }
    }

    private sealed class ExportReport(IProgress<LoadProgress> progress) : IProgress<ExportProgress>
    {
        public void Report(ExportProgress value) => progress.Report(new LoadProgress($"exporting {value.Phase}", value.Fraction));
    }
}
