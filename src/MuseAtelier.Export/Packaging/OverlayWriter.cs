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
/// whole, because a stage is one read and one copy; its unchanged weights are copied from the base. All other files stay in the base.
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
        string basis = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.BasePackage));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        TensorFile? file = null;
        Task<string>? digest = null;
        try
        {
            return Write(options.BasePackage, options.Name, Changes, Check, folder, cancellationToken);
        }
        finally
        {
            stop.Cancel();
            file?.Dispose();
        }

        CheckpointChanges Changes(PackageManifest manifest)
        {
            file = CheckpointFile.Open(options.Checkpoint);
            if (file.Bytes != manifest.Checkpoint.Bytes) throw new OverlayCheckpointException(file.Path, basis);
            RequireUsed(file, manifest, options.Changes);
            digest = Task.Run(() => CheckpointDigest.Of(file.Path, stop.Token), stop.Token);
            return new CheckpointChanges(new SliceReader(file, options.Changes));
        }

        void Check(PackageManifest manifest)
        {
            if (digest!.GetAwaiter().GetResult() != manifest.Checkpoint.Sha256)
                throw new OverlayCheckpointException(options.Checkpoint, basis);
        }
    }

    /// <summary>Writes an overlay of weights that come from elsewhere. The folder appears only when it is complete.</summary>
    /// <param name="basePackage">Path of the folder of the package that the overlay changes.</param>
    /// <param name="name">The name of the changed model, up to 4,096 characters.</param>
    /// <param name="change">Makes the changed weights for the base's manifest.</param>
    /// <param name="check">Runs when all files are written, before the folder appears; an exception deletes them.</param>
    /// <param name="folder">Path of the overlay's folder. It must lie in the same folder as the base.</param>
    /// <param name="cancellationToken">Cancels within a few MiB. All files written so far are deleted.</param>
    /// <returns>Bytes of all files of the overlay except the manifest.</returns>
    /// <exception cref="PackageException">The base cannot be used.</exception>
    /// <exception cref="ExportFolderException">The folder cannot be written, or does not lie beside the base.</exception>
    public static long Write(
        string basePackage, string name, Func<PackageManifest, IChangedWeights> change, Action<PackageManifest> check, string folder,
        CancellationToken cancellationToken)
    {
        var place = new ExportPlace(folder);
        string basis = Path.TrimEndingDirectorySeparator(Path.GetFullPath(basePackage));
        ExportFolderException.ThrowIfNotBeside(place.Folder, basis);
        // The base must stay as it is while it is read, because the overlay states the digest of its manifest.
        using FileStream? use = File.Exists(Path.Combine(basis, PackageManifest.FileName)) ? PackageUse.Hold(basis) : null;
        PackageManifest manifest = PackageManifest.Read(basis);
        if (manifest.Overlay is not null) throw new PackageBaseException(place.Folder, basis, "that is an overlay itself");
        string baseDigest = ManifestReader.Digest(basis);
        IChangedWeights changed = change(manifest);
        place.RequireFree();
        using var parents = new NewFolders(place.Folder);
        try
        {
            place.ClearLeftovers();
            using PartialFolder partial = PartialFolder.Create(place.Folder);
            using var stages = new OverlayStages(basis, manifest, partial.Path, changed, cancellationToken);
            stages.Write();
            Manifest(name, new BaseSpec(Path.GetFileName(basis), baseDigest), stages).Write(partial.Path);
            // Reading applies all rules of manifests to the overlay and its base together, because the base is untrusted too.
            PackageManifest.Read(partial.Path);
            check(manifest);
            cancellationToken.ThrowIfCancellationRequested();
            place.Publish(partial);
            return stages.Files.Sum(entry => entry.Bytes);
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            throw new ExportFolderException(place.Folder, exception);
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
