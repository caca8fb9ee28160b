using MuseAtelier.Packages;

namespace MuseAtelier.Export;

/// <summary>Turns a checkpoint into a package.</summary>
public static class CheckpointExporter
{
    /// <summary>Exports a checkpoint into a folder.</summary>
    /// <param name="checkpoint">Path of the checkpoint.</param>
    /// <param name="folder">The package's folder.</param>
    /// <param name="options">How to export.</param>
    /// <param name="progress">Told where the export stands.</param>
    /// <param name="cancellationToken">Stops the export.</param>
    public static ExportResult Export(string checkpoint, string folder, ExportOptions options, IProgress<ExportProgress>? progress = null, CancellationToken cancellationToken = default) =>
        throw new NotImplementedException();
}

/// <summary>How a checkpoint is exported.</summary>
public sealed record ExportOptions
{
    /// <summary>For which kind of device.</summary>
    public Lowering Lowering { get; init; }
}

/// <summary>Where an export stands.</summary>
/// <param name="Phase">What is being done, in words.</param>
/// <param name="Fraction">How much of it is done, 0 to 1.</param>
/// <param name="BytesWritten">Bytes written so far.</param>
public readonly record struct ExportProgress(string Phase, double Fraction, long BytesWritten);

/// <summary>What an export made.</summary>
/// <param name="Folder">The package's folder.</param>
/// <param name="Bytes">Bytes that the package takes.</param>
/// <param name="Elapsed">How long it took.</param>
public sealed record ExportResult(string Folder, long Bytes, TimeSpan Elapsed);
