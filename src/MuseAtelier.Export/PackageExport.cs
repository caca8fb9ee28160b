using System.Diagnostics;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Networks;
using MuseAtelier.Export.Packaging;
using MuseAtelier.Export.Storage;
using MuseAtelier.Format;

namespace MuseAtelier.Export;

/// <summary>Writes the networks of a file into a package.</summary>
/// <param name="file">The file; borrowed.</param>
/// <param name="before">The identity that the file had before it was opened.</param>
/// <param name="networks">Its networks.</param>
/// <param name="options">The options of the export.</param>
/// <param name="complete">Adds the properties of the model to the manifest.</param>
internal sealed class PackageExport(
    TensorFile file,
    CheckpointIdentity? before,
    IReadOnlyList<Network> networks,
    ExportOptions options,
    Func<PackageManifest, PackageManifest> complete)
{
    /// <summary>Writes the package. It appears only when it is complete.</summary>
    /// <param name="place">The destination.</param>
    /// <param name="progress">Receives the progress on the calling thread.</param>
    /// <param name="cancellationToken">Cancels within a few MiB. All files written so far are deleted.</param>
    public ExportResult Write(ExportPlace place, IProgress<ExportProgress>? progress, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        place.RequireFree();
        using var parents = new NewFolders(place.Folder);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<string> digest = Task.Run(() => CheckpointDigest.Of(file.Path, stop.Token), stop.Token);
        try
        {
            place.ClearLeftovers();
            using PartialFolder partial = PartialFolder.Create(place.Folder);
            List<ComponentLayout> layouts =
                [.. networks.Select(network => ComponentLayout.Of(network, options.Lowering, CheckpointExporter.Version))];
            var report = new ExportReport(layouts.Sum(layout => layout.WeightBytes), progress);
            var writer = new PackageWriter(partial.Path, new WeightTransfer(file), report.Written, cancellationToken);
            foreach (ComponentLayout layout in layouts)
            {
                report.Phase = layout.Spec.Name;
                writer.Write(layout);
            }

            string sha256 = digest.GetAwaiter().GetResult();
            complete(Manifest(layouts, writer.Files, sha256)).Write(partial.Path);
            // A checkpoint that changed during the export would give a package with data of different files.
            if (CheckpointIdentity.Of(file.Path) != before) throw new CheckpointChangedException(file.Path);
            cancellationToken.ThrowIfCancellationRequested();
            place.Publish(partial);
            report.Done();
            return new ExportResult(place.Folder, writer.Files.Sum(entry => entry.Bytes), clock.Elapsed);
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

    private PackageManifest Manifest(IReadOnlyList<ComponentLayout> layouts, IReadOnlyList<FileSpec> files, string sha256) => new()
    {
        FormatVersion = PackageManifest.CurrentFormatVersion,
        ExporterVersion = CheckpointExporter.Version,
        Lowering = options.Lowering,
        Precisions = options.Precisions == Precisions.Of(options.Lowering) ? null : options.Precisions,
        Checkpoint = new CheckpointSpec(ModelFolder.NameOf(file.Path), sha256, file.Bytes)
        {
            Title = file.Metadata.GetValueOrDefault("modelspec.title"),
            License = file.Metadata.GetValueOrDefault("modelspec.license"),
        },
        Components = [.. layouts.Select(layout => layout.Spec)],
        Files = files,
    };
}
