using System.Diagnostics;
using System.Reflection;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Networks;
using MuseAtelier.Export.Packaging;
using MuseAtelier.Export.Storage;
using MuseAtelier.Format;

namespace MuseAtelier.Export;

/// <summary>The options of an export.</summary>
public sealed record ExportOptions
{
    /// <summary>The kind of device that the package is for.</summary>
    public Lowering Lowering { get; init; } = Lowering.Portable;

    /// <summary>The precisions of the parts; null means the defaults of the lowering.</summary>
    public Precisions? Precisions { get; init; }
}

/// <summary>The progress of an export.</summary>
public readonly record struct ExportProgress
{
    internal ExportProgress(string phase, double fraction, long bytesWritten)
    {
        Phase = phase;
        Fraction = fraction;
        BytesWritten = bytesWritten;
    }

    /// <summary>The name of the component that is being written; "done" at the end.</summary>
    public string Phase { get; init; }

    /// <summary>The fraction that is done, 0 to 1.</summary>
    public double Fraction { get; init; }

    /// <summary>Bytes of weights written so far.</summary>
    public long BytesWritten { get; init; }
}

/// <summary>The result of an export.</summary>
public sealed record ExportResult
{
    internal ExportResult(string folder, long bytes, TimeSpan elapsed)
    {
        Folder = folder;
        Bytes = bytes;
        Elapsed = elapsed;
    }

    /// <summary>The package's folder.</summary>
    public string Folder { get; init; }

    /// <summary>Bytes of all files of the package except the manifest.</summary>
    public long Bytes { get; init; }

    /// <summary>The duration of the export.</summary>
    public TimeSpan Elapsed { get; init; }
}

/// <summary>Turns an SDXL single-file checkpoint into a package.</summary>
public static class CheckpointExporter
{
    /// <summary>The version of this exporter, which packages state.</summary>
    public static string Version { get; } = typeof(CheckpointExporter).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>
    /// Exports a checkpoint to a folder. The folder appears only when it is complete. An older package there is replaced.
    /// </summary>
    /// <param name="checkpoint">Path of the safetensors file.</param>
    /// <param name="folder">Path of the package's folder.</param>
    /// <param name="options">The options of the export.</param>
    /// <param name="progress">Receives the progress on the calling thread, several times a second.</param>
    /// <param name="cancellationToken">Cancels the export within a few MiB. All files written so far are deleted.</param>
    /// <exception cref="CheckpointException">The file is not an SDXL checkpoint that can be exported.</exception>
    /// <exception cref="ExportFolderException">
    /// The folder cannot be written, holds something that is not a package, or holds a package in use.
    /// </exception>
    public static ExportResult Export(
        string checkpoint,
        string folder,
        ExportOptions options,
        IProgress<ExportProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
        Export(checkpoint, new ExportPlace(folder), options, progress, cancellationToken);

    /// <summary>Exports a checkpoint to a destination with its own rules for existing content.</summary>
    internal static ExportResult Export(
        string checkpoint,
        ExportPlace place,
        ExportOptions options,
        IProgress<ExportProgress>? progress,
        CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        CheckpointIdentity? before = File.Exists(checkpoint) ? CheckpointIdentity.Of(checkpoint) : null;
        using SafetensorsFile file = SafetensorsFile.Open(checkpoint);
        CheckpointInspector.RequireSdxlBase(file);
        Precisions precisions = options.Precisions ?? Precisions.Of(options.Lowering);
        (IReadOnlyList<Network> networks, ModelSpec model) = CheckpointNetworks.Describe(file, precisions);

        place.RequireFree();
        using var parents = new NewFolders(place.Folder);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<string> digest = Task.Run(() => CheckpointDigest.Of(checkpoint, stop.Token), stop.Token);
        try
        {
            place.ClearLeftovers();
            using PartialFolder partial = PartialFolder.Create(place.Folder);
            List<ComponentLayout> layouts = [.. networks.Select(network => ComponentLayout.Of(network, options.Lowering, Version))];
            var report = new ExportReport(layouts.Sum(layout => layout.WeightBytes), progress);
            var writer = new PackageWriter(partial.Path, new WeightTransfer(file), report.Written, cancellationToken);
            foreach (ComponentLayout layout in layouts)
            {
                report.Phase = layout.Spec.Name;
                writer.Write(layout);
            }

            string sha256 = digest.GetAwaiter().GetResult();
            Manifest(file, options, model, layouts, writer.Files, sha256).Write(partial.Path);
            // A checkpoint that changed during the export would give a package with data of different files.
            if (CheckpointIdentity.Of(checkpoint) != before) throw new CheckpointChangedException(checkpoint);
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

    /// <summary>
    /// Describes the components of a checkpoint's package. Only the checkpoint's header is read, and nothing is written.
    /// </summary>
    /// <param name="checkpoint">Path of the safetensors file.</param>
    /// <param name="options">The options of the export.</param>
    /// <exception cref="CheckpointException">The file is not an SDXL checkpoint that can be exported.</exception>
    internal static IReadOnlyList<ComponentSpec> Describe(string checkpoint, ExportOptions options)
    {
        using SafetensorsFile file = SafetensorsFile.Open(checkpoint);
        CheckpointInspector.RequireSdxlBase(file);
        Precisions precisions = options.Precisions ?? Precisions.Of(options.Lowering);
        IReadOnlyList<Network> networks = CheckpointNetworks.Describe(file, precisions).Networks;
        return [.. networks.Select(network => ComponentLayout.Of(network, options.Lowering, Version).Spec)];
    }

    private static PackageManifest Manifest(
        SafetensorsFile file,
        ExportOptions options,
        ModelSpec model,
        IReadOnlyList<ComponentLayout> layouts,
        IReadOnlyList<FileSpec> files,
        string sha256) => new()
        {
            FormatVersion = PackageManifest.CurrentFormatVersion,
            ExporterVersion = Version,
            Lowering = options.Lowering,
            Precisions = options.Precisions == Precisions.Of(options.Lowering) ? null : options.Precisions,
            Checkpoint = new CheckpointSpec(Path.GetFileNameWithoutExtension(file.Path), sha256, file.Bytes)
            {
                Title = file.Metadata.GetValueOrDefault("modelspec.title"),
                License = file.Metadata.GetValueOrDefault("modelspec.license"),
            },
            Model = model,
            Components = [.. layouts.Select(layout => layout.Spec)],
            Files = files,
        };

    private sealed class ExportReport(long total, IProgress<ExportProgress>? progress)
    {
        private long _done;
        private long _reported;

        public string Phase { get; set; } = "";

        public void Written(long bytes)
        {
            _done += bytes;
            if (_done - _reported < total / 200) return;
            _reported = _done;
            progress?.Report(new ExportProgress(Phase, Math.Min(1, (double)_done / total), _done));
        }

        public void Done() => progress?.Report(new ExportProgress("done", 1, _done));
    }
}
