using System.Globalization;
using System.IO.MemoryMappedFiles;
using MuseAtelier.Packages;

namespace MuseAtelier;

/// <summary>An exported package, opened: its manifest checked against its files, its packed weights mapped into memory.</summary>
internal sealed unsafe class ModelPackage : IDisposable
{
    private readonly Dictionary<string, (MemoryMappedFile Mapping, MemoryMappedViewAccessor View, nint Start)> _weights = [];

    private ModelPackage(string folder, PackageManifest manifest) => (Folder, Manifest, GraphsSha256) = (folder, manifest, DigestGraphs(manifest));

    public string Folder { get; }

    public PackageManifest Manifest { get; }

    /// <summary>SHA-256 over the names and digests of all graphs, lower-case hex: what would compute otherwise has another.</summary>
    public string GraphsSha256 { get; }

    /// <summary>Opens the package of a model, which is made where there is none, for the options' backend.</summary>
    /// <param name="model">Path of a package's folder or of a checkpoint.</param>
    /// <param name="options">The backend, the cache and whether digests are verified.</param>
    /// <param name="progress">Told on the calling thread.</param>
    /// <param name="cancellationToken">Stops an export or a verification.</param>
    /// <exception cref="MuseAtelierException">The model cannot be used.</exception>
    public static ModelPackage OpenFor(string model, AtelierOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        options.Backend.Require();
        string folder = PackageCache.Resolve(model, options, progress, cancellationToken);
        ModelPackage package = Open(folder, options.VerifyDigests, progress, cancellationToken);
        PackageManifest manifest = package.Manifest;
        bool isForBackend = manifest.Lowering == options.Backend.Lowering;
        if (isForBackend && (options.Precisions ?? manifest.PartPrecisions) == manifest.PartPrecisions) return package;
        package.Dispose();
        throw isForBackend
            ? new PackagePrecisionException(folder, manifest.PartPrecisions, options.Precisions!)
            : new PackageLoweringException(folder, manifest.Lowering, options.Backend.Lowering);
    }

    /// <summary>Opens a package; sizes are always checked, digests (which takes reading all of it) when asked for.</summary>
    /// <exception cref="PackageException">The package is damaged, incomplete or of another format.</exception>
    public static ModelPackage Open(string folder, bool verifyDigests, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        PackageManifest manifest = PackageManifest.Read(folder);
        long total = manifest.Files.Sum(file => file.Bytes), done = 0;
        foreach (FileSpec file in manifest.Files)
        {
            string path = Path.Combine(folder, file.Name);
            var info = new FileInfo(path);
            if (!info.Exists) throw new PackageFileMissingException(folder, file.Name);
            if (info.Length != file.Bytes)
                throw new PackageFileDamagedException(folder, file.Name, string.Create(CultureInfo.InvariantCulture, $"it has {info.Length} bytes"), string.Create(CultureInfo.InvariantCulture, $"{file.Bytes} bytes"));
            if (!verifyDigests) continue;
            using FileStream stream = info.OpenRead();
            string digest = Sha256.Hash(stream, cancellationToken);
            if (digest != file.Sha256) throw new PackageFileDamagedException(folder, file.Name, $"its SHA-256 is {digest}", file.Sha256);
            cancellationToken.ThrowIfCancellationRequested();
            done += file.Bytes;
            progress?.Report(new LoadProgress("verifying", (double)done / total));
        }

        CheckWeights(folder, manifest);
        return new ModelPackage(folder, manifest);
    }

    /// <summary>Path of a graph's file.</summary>
    public string Graph(StageSpec stage) => Path.Combine(Folder, stage.Graph);

    /// <summary>Where a weight lies in this process's memory: in the mapping of its packed file, which the package owns.</summary>
    public nint MappedWeight(WeightSpec weight)
    {
        lock (_weights)
        {
            if (!_weights.TryGetValue(weight.File, out var mapped))
            {
                MemoryMappedFile mapping = MemoryMappedFile.CreateFromFile(Path.Combine(Folder, weight.File), FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
                MemoryMappedViewAccessor view = mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
                byte* start = null;
                view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
                _weights[weight.File] = mapped = (mapping, view, (nint)(start + view.PointerOffset));
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
    }

    private static string DigestGraphs(PackageManifest manifest)
    {
        HashSet<string> graphs = [.. manifest.Components.SelectMany(component => component.Stages).Select(stage => stage.Graph)];
        IEnumerable<string> lines = manifest.Files.Where(file => graphs.Contains(file.Name)).OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => $"{file.Name} {file.Sha256}\n");
        return Sha256.Hash(System.Text.Encoding.UTF8.GetBytes(string.Concat(lines)));
    }

    // A manifest is a file like any other: no offset in it is believed before it was held against the file that it points into.
    private static void CheckWeights(string folder, PackageManifest manifest)
    {
        Dictionary<string, long> sizes = manifest.Files.ToDictionary(file => file.Name, file => file.Bytes);
        foreach (WeightSpec weight in manifest.Components.SelectMany(component => component.Stages).SelectMany(stage => stage.Weights))
        {
            bool inside = sizes.TryGetValue(weight.File, out long bytes) && weight.Offset >= 0 && weight.Bytes >= 0 && weight.Offset <= bytes - weight.Bytes;
            if (!inside) throw new PackageManifestException(folder, $"the manifest places {weight.Source} outside {weight.File}");
        }
    }
}
