using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Storage;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Packaging;

/// <summary>An overlay to be written.</summary>
internal sealed record OverlayOptions
{
    /// <summary>Path of the folder of the package that the overlay changes.</summary>
    public required string BasePackage { get; init; }

    /// <summary>Path of the checkpoint that the base was exported from.</summary>
    public required string Checkpoint { get; init; }

    /// <summary>The name of the changed model, up to 4,096 characters.</summary>
    public required string Name { get; init; }

    /// <summary>The changes, by the names of the checkpoint's tensors.</summary>
    public required IReadOnlyDictionary<string, TensorChange> Changes { get; init; }
}

/// <summary>
/// Writes overlays: packages that replace stages of another package whose weights are made of changed tensors. A stage is replaced as a
/// whole, because a stage is one read and one copy; its unchanged weights are copied from the base. All other files stay in the base. This
/// is where a LoRA plugs in: a <see cref="TensorChange"/> for each tensor adds its product to the values.
/// </summary>
internal static class OverlayWriter
{
    /// <summary>
    /// Writes an overlay. Its weights equal, byte for byte, those of an export of the changed checkpoint where the changed values can be
    /// stored in the checkpoint's element type. The folder appears only when it is complete.
    /// </summary>
    /// <param name="options">The base, its checkpoint and the changes.</param>
    /// <param name="folder">Path of the overlay's folder. It must lie in the same folder as the base.</param>
    /// <param name="cancellationToken">Cancels within a few MiB. All files written so far are deleted.</param>
    /// <returns>Bytes of all files of the overlay except the manifest.</returns>
    /// <exception cref="PackageException">The base cannot be used.</exception>
    /// <exception cref="CheckpointException">
    /// The checkpoint cannot be read, is not that of the base, lacks a changed tensor, or has changed values that cannot be stored.
    /// </exception>
    /// <exception cref="ExportFolderException">The folder cannot be written, or does not lie beside the base.</exception>
    public static long Write(OverlayOptions options, string folder, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var place = new ExportPlace(folder);
        string basis = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.BasePackage));
        ExportFolderException.ThrowIfNotBeside(place.Folder, basis);
        // The base must stay as it is while it is read, because the overlay states the digest of its manifest.
        using FileStream? use = File.Exists(Path.Combine(basis, PackageManifest.FileName)) ? PackageUse.Hold(basis) : null;
        PackageManifest manifest = PackageManifest.Read(basis);
        if (manifest.Overlay is not null) throw new PackageBaseException(place.Folder, basis, "that is an overlay itself");
        string baseDigest = ManifestReader.Digest(basis);
        using TensorFile file = CheckpointFile.Open(options.Checkpoint);
        if (file.Bytes != manifest.Checkpoint.Bytes) throw new OverlayCheckpointException(file.Path, basis);
        RequireUsed(file, manifest, options.Changes);

        place.RequireFree();
        using var parents = new NewFolders(place.Folder);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<string> digest = Task.Run(() => CheckpointDigest.Of(file.Path, stop.Token), stop.Token);
        try
        {
            place.ClearLeftovers();
            using PartialFolder partial = PartialFolder.Create(place.Folder);
            using var stages = new OverlayStages(basis, manifest, partial.Path, new SliceReader(file, options.Changes), cancellationToken);
            stages.Write();
            Manifest(options.Name, new BaseSpec(Path.GetFileName(basis), baseDigest), stages).Write(partial.Path);
            // Reading applies all rules of manifests to the overlay and its base together, because the base is untrusted too.
            PackageManifest.Read(partial.Path);
            if (digest.GetAwaiter().GetResult() != manifest.Checkpoint.Sha256) throw new OverlayCheckpointException(file.Path, basis);
            cancellationToken.ThrowIfCancellationRequested();
            place.Publish(partial);
            return stages.Files.Sum(entry => entry.Bytes);
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            throw new ExportFolderException(place.Folder, exception);
        }
        finally
        {
            stop.Cancel();
        }
    }

    private static OverlayManifest Manifest(string name, BaseSpec basis, OverlayStages stages) => new()
    {
        FormatVersion = PackageManifest.CurrentFormatVersion,
        ExporterVersion = CheckpointExporter.Version,
        Name = name,
        Base = basis,
        Stages = stages.Stages,
        Files = stages.Files,
    };

    private static void RequireUsed(TensorFile file, PackageManifest manifest, IReadOnlyDictionary<string, TensorChange> changes)
    {
        HashSet<string> used =
        [
            .. manifest.Components.SelectMany(component => component.Stages)
                .SelectMany(stage => stage.Weights.Concat(stage.Constants))
                .SelectMany(weight => weight.Slices)
                .Select(slice => slice.Key),
        ];
        string[] unknown = [.. changes.Keys.Where(key => !used.Contains(key)).Order(StringComparer.Ordinal)];
        if (unknown.Length > 0) throw new OverlayTensorException(file.Path, unknown);
    }
}
