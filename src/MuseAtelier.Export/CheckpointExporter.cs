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

/// <summary>Turns an SDXL checkpoint into a package.</summary>
public static class CheckpointExporter
{
    /// <summary>The version of this exporter, which packages state.</summary>
    public static string Version { get; } = typeof(CheckpointExporter).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>
    /// Exports a checkpoint to a folder. The folder appears only when it is complete. An older package there is replaced.
    /// </summary>
    /// <param name="checkpoint">Path of the safetensors file, or of the folder of a model in several files.</param>
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
        CheckpointIdentity? before = ModelFolder.IsModel(checkpoint) ? CheckpointIdentity.Of(checkpoint) : null;
        using TensorFile file = CheckpointFile.Open(checkpoint);
        CheckpointInspector.RequireSdxlBase(file);
        Precisions precisions = options.Precisions ?? Precisions.Of(options.Lowering);
        (IReadOnlyList<Network> networks, ModelSpec model) = CheckpointNetworks.Describe(file, precisions);
        var export = new PackageExport(file, before, networks, options, manifest => manifest with { Painter = model });
        return export.Write(place, progress, cancellationToken);
    }

    /// <summary>Exports an upscaler to a destination with its own rules for existing content.</summary>
    /// <param name="model">Path of the upscaler's file: .safetensors or .pth.</param>
    /// <param name="place">The destination.</param>
    /// <param name="options">The options of the export. An upscaler has the arithmetic of the VAE.</param>
    /// <param name="progress">Receives the progress on the calling thread.</param>
    /// <param name="cancellationToken">Cancels the export within a few MiB.</param>
    /// <exception cref="CheckpointException">The file is not an upscaler that can be exported.</exception>
    internal static ExportResult ExportUpscaler(
        string model,
        ExportPlace place,
        ExportOptions options,
        IProgress<ExportProgress>? progress,
        CancellationToken cancellationToken)
    {
        CheckpointIdentity? before = File.Exists(model) ? CheckpointIdentity.Of(model) : null;
        using TensorFile file = TensorFile.Open(model);
        Precisions precisions = options.Precisions ?? Precisions.Of(options.Lowering);
        UnsupportedPrecisionException.ThrowIfAny(precisions);
        (IReadOnlyList<Network> networks, UpscalerSpec spec) = UpscalerNetworks.Describe(file, precisions.Vae.Arithmetic.Type());
        var export = new PackageExport(file, before, networks, options, manifest => manifest with { Upscaler = spec });
        return export.Write(place, progress, cancellationToken);
    }

    /// <summary>
    /// Describes the components of a checkpoint's package. Only the checkpoint's header is read, and nothing is written.
    /// </summary>
    /// <param name="checkpoint">Path of the safetensors file, or of the folder of a model in several files.</param>
    /// <param name="options">The options of the export.</param>
    /// <exception cref="CheckpointException">The file is not an SDXL checkpoint that can be exported.</exception>
    internal static IReadOnlyList<ComponentSpec> Describe(string checkpoint, ExportOptions options)
    {
        using TensorFile file = CheckpointFile.Open(checkpoint);
        CheckpointInspector.RequireSdxlBase(file);
        Precisions precisions = options.Precisions ?? Precisions.Of(options.Lowering);
        IReadOnlyList<Network> networks = CheckpointNetworks.Describe(file, precisions).Networks;
        return [.. networks.Select(network => ComponentLayout.Of(network, options.Lowering, Version).Spec)];
    }
}
