using System.Globalization;
using System.IO.MemoryMappedFiles;
using MuseAtelier.Export.Storage;
using MuseAtelier.Format;

namespace MuseAtelier;

/// <summary>
/// An opened package: its manifest is checked against its files, and its packed weights are mapped into memory. The files of an overlay
/// are read from its own folder or from its base's.
/// </summary>
internal sealed unsafe class ModelPackage : IDisposable
{
    private readonly Dictionary<string, (MemoryMappedFile Mapping, MemoryMappedViewAccessor View, nint Start)> _weights = [];
    private readonly (FileSpec File, DateTime Written)[] _mapped;
    private readonly IReadOnlyList<FileStream> _uses;

    private ModelPackage(string folder, PackageManifest manifest, IReadOnlyList<FileStream> uses)
    {
        Folder = folder;
        Manifest = manifest;
        GraphsSha256 = DigestGraphs(manifest);
        _uses = uses;
        // ONNX Runtime reads and checks the graphs' files for each session. All other files are mapped.
        HashSet<string> graphs = [.. manifest.Components.SelectMany(component => component.Stages).Select(stage => stage.Graph)];
        _mapped = [.. manifest.Files.Where(file => !graphs.Contains(file.Name))
            .Select(file => (file, File.GetLastWriteTimeUtc(PathOf(file.Name))))];
    }

    public string Folder { get; }

    public PackageManifest Manifest { get; }

    /// <summary>SHA-256 over the names and digests of all graphs, lower-case hex. It differs for packages that compute otherwise.</summary>
    public string GraphsSha256 { get; }

    /// <summary>Opens the package of a model. A checkpoint is exported first, unless the cache holds its package.</summary>
    /// <param name="model">Path of a package's folder or of a checkpoint.</param>
    /// <param name="choice">The package that is needed.</param>
    /// <param name="progress">Receives reports on the calling thread.</param>
    /// <param name="cancellationToken">Stops an export or a verification.</param>
    /// <exception cref="MuseAtelierException">The model cannot be used.</exception>
    public static ModelPackage OpenFor(
        string model, PackageChoice choice, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        string folder = PackageCache.Resolve(model, choice, progress, cancellationToken);
        ModelPackage package = Open(folder, choice.VerifiesDigests, progress, cancellationToken);
        PackageManifest manifest = package.Manifest;
        if (manifest.Upscaler is not null != choice.IsUpscaler)
        {
            package.Dispose();
            throw new PackageKindException(folder, isUpscaler: manifest.Upscaler is not null);
        }

        bool isForBackend = manifest.Lowering == choice.Lowering;
        if (isForBackend && (choice.Precisions ?? manifest.PartPrecisions) == manifest.PartPrecisions) return package;
        package.Dispose();
        throw isForBackend
            ? new PackagePrecisionException(folder, manifest.PartPrecisions, choice.Precisions!)
            : new PackageLoweringException(folder, manifest.Lowering, choice.Lowering);
    }

    /// <summary>
    /// Opens a package. Sizes are always checked; digests only when asked for, because that reads all files. The package and its base
    /// cannot be replaced until the result is disposed.
    /// </summary>
    /// <exception cref="PackageException">The package is damaged, incomplete, unreadable or of another format.</exception>
    public static ModelPackage Open(
        string folder, bool verifyDigests, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        var uses = new List<FileStream>();
        try
        {
            if (File.Exists(Path.Combine(folder, PackageManifest.FileName))) uses.Add(PackageUse.Hold(folder));
            PackageManifest manifest = PackageManifest.Read(folder);
            if (uses.Count == 0) throw new PackageManifestException(folder, $"{folder} holds no {PackageManifest.FileName}");
            if (manifest.Overlay is { } overlay) uses.Add(PackageUse.Hold(overlay.BaseFolder));
            foreach (FileSpec file in manifest.Files) CheckSize(folder, manifest, file);
            if (verifyDigests) VerifyDigests(folder, manifest, progress, cancellationToken);
            return new ModelPackage(folder, manifest, uses);
        }
        catch (Exception exception)
        {
            foreach (FileStream use in uses) use.Dispose();
            if (exception is IOException or UnauthorizedAccessException) throw Unreadable(folder, exception);
            throw;
        }
    }

    /// <summary>
    /// Checks that every mapped file has the size and the time that it had when the package was opened, because reading a mapped file
    /// beyond its end would end the process. It makes one system call for each file and reads no content.
    /// </summary>
    /// <exception cref="PackageException">A file is missing or was changed.</exception>
    public void RequireUnchanged()
    {
        foreach ((FileSpec file, DateTime written) in _mapped)
        {
            CheckSize(Folder, Manifest, file);
            if (File.GetLastWriteTimeUtc(PathOf(file.Name)) != written) throw new PackageFileDamagedException(
                Folder, file.Name, "it was written to while the package was open", "a file that stays as it is");
        }
    }

    /// <summary>Path of a file of the manifest. A file of an overlay's base lies in the base's folder.</summary>
    public string PathOf(string file) => Manifest.PathOf(Folder, file);

    /// <summary>Path of a graph's file.</summary>
    public string Graph(StageSpec stage) => PathOf(stage.Graph);

    /// <summary>The address of a weight in the mapping of its packed file, which the package owns.</summary>
    public nint MappedWeight(WeightSpec weight)
    {
        lock (_weights)
        {
            if (!_weights.TryGetValue(weight.File, out var mapped))
            {
                _weights[weight.File] = mapped = Map(weight.File);
            }

            return mapped.Start + (nint)weight.Offset;
        }
    }

    public void Dispose()
    {
        lock (_weights)
        {
            foreach (var (mapping, view, _) in _weights.Values)
            {
                view.SafeMemoryMappedViewHandle.ReleasePointer();
                view.Dispose();
                mapping.Dispose();
            }

            _weights.Clear();
        }

        foreach (FileStream use in _uses) use.Dispose();
    }

    private static string DigestGraphs(PackageManifest manifest)
    {
        HashSet<string> graphs = [.. manifest.Components.SelectMany(component => component.Stages).Select(stage => stage.Graph)];
        IEnumerable<string> lines = manifest.Files
            .Where(file => graphs.Contains(file.Name))
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .Select(file => $"{file.Name} {file.Sha256}\n");
        return Sha256.Hash(System.Text.Encoding.UTF8.GetBytes(string.Concat(lines)));
    }

    // The share mode excludes writers on Windows. Other systems take a lock, which programs may ignore.
    private (MemoryMappedFile Mapping, MemoryMappedViewAccessor View, nint Start) Map(string file)
    {
        MemoryMappedFile? mapping = null;
        MemoryMappedViewAccessor? view = null;
        try
        {
            CheckSize(Folder, Manifest, Manifest.Files.First(listed => listed.Name == file));
            var stream = new FileStream(PathOf(file), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
            mapping = MemoryMappedFile.CreateFromFile(
                stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            view = mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            byte* start = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            return (mapping, view, (nint)(start + view.PointerOffset));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            view?.Dispose();
            mapping?.Dispose();
            throw Unreadable(Folder, exception);
        }
    }

    private static void CheckSize(string folder, PackageManifest manifest, FileSpec file)
    {
        var info = new FileInfo(manifest.PathOf(folder, file.Name));
        if (!info.Exists) throw new PackageFileMissingException(folder, file.Name);
        if (info.Length != file.Bytes)
        {
            throw new PackageFileDamagedException(
                folder, file.Name, string.Create(CultureInfo.InvariantCulture, $"it has {info.Length} bytes"),
                    string.Create(CultureInfo.InvariantCulture, $"{file.Bytes} bytes"));
        }
    }

    private static void VerifyDigests(string folder, PackageManifest manifest, IProgress<LoadProgress>? progress,
        CancellationToken cancellationToken)
    {
        long total = Math.Max(1, manifest.Files.Sum(file => file.Bytes)), done = 0;
        foreach (FileSpec file in manifest.Files)
        {
            using FileStream stream = File.OpenRead(manifest.PathOf(folder, file.Name));
            string digest = Sha256.Hash(stream, cancellationToken);
            if (digest != file.Sha256) throw new PackageFileDamagedException(folder, file.Name, $"its SHA-256 is {digest}", file.Sha256);
            cancellationToken.ThrowIfCancellationRequested();
            done += file.Bytes;
            progress?.Report(new LoadProgress("verifying", (double)done / total));
        }
    }

    private static PackageUnreadableException Unreadable(string folder, Exception exception) =>
        OpenFileLimit.IsReached(exception)
            ? new PackageUnreadableException(folder, OpenFileLimit.Found, OpenFileLimit.Expected, OpenFileLimit.Remedy, exception)
            : new PackageUnreadableException(folder, exception);
}
