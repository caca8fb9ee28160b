using System.Diagnostics;
using System.Reflection;
using System.Security.Cryptography;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Networks;
using MuseAtelier.Export.Packaging;
using MuseAtelier.Packages;

namespace MuseAtelier.Export;

/// <summary>How a checkpoint is exported.</summary>
public sealed record ExportOptions
{
    /// <summary>For which kind of device.</summary>
    public Lowering Lowering { get; init; } = Lowering.Portable;

    /// <summary>In which arithmetic the parts compute; null means what the lowering chooses by itself.</summary>
    public Precisions? Precisions { get; init; }
}

/// <summary>Where an export stands.</summary>
/// <param name="Phase">What is being written, in words.</param>
/// <param name="Fraction">How much of the whole is done, 0 to 1.</param>
/// <param name="BytesWritten">Bytes of weights written so far.</param>
public readonly record struct ExportProgress(string Phase, double Fraction, long BytesWritten);

/// <summary>A finished export.</summary>
/// <param name="Folder">The package's folder.</param>
/// <param name="Bytes">Bytes of all its files.</param>
/// <param name="Elapsed">How long it took.</param>
public sealed record ExportResult(string Folder, long Bytes, TimeSpan Elapsed);

/// <summary>Turns an SDXL single-file checkpoint into a package.</summary>
public static class CheckpointExporter
{
    /// <summary>Version of this exporter, as packages state it.</summary>
    public static string Version { get; } = typeof(CheckpointExporter).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>Exports a checkpoint into a folder, which appears only when it is complete; an older package there is replaced.</summary>
    /// <param name="checkpoint">Path of the safetensors file.</param>
    /// <param name="folder">Path of the package's folder.</param>
    /// <param name="options">How to export.</param>
    /// <param name="progress">Told on the calling thread, some times a second.</param>
    /// <param name="cancellationToken">Stops within a few MiB and leaves nothing behind.</param>
    /// <exception cref="CheckpointException">The file is no SDXL checkpoint that can be exported.</exception>
    /// <exception cref="ExportFolderException">The folder cannot be written, or holds something else.</exception>
    public static ExportResult Export(string checkpoint, string folder, ExportOptions options, IProgress<ExportProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var clock = Stopwatch.StartNew();
        using SafetensorsFile file = SafetensorsFile.Open(checkpoint);
        CheckpointInspector.RequireSdxlBase(file);
        Precisions own = Precisions.Of(options.Lowering), precisions = options.Precisions ?? own;
        (IReadOnlyList<Network> networks, ModelSpec model) = CheckpointNetworks.Describe(file, precisions);

        folder = Path.GetFullPath(folder);
        ExportFolderException.ThrowIfOccupied(folder);
        string partial = $"{folder}.{Environment.ProcessId}.partial";
        using var parents = new NewFolders(folder);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<string> digest = Task.Run(() => Digest(checkpoint, stop.Token), stop.Token);
        try
        {
            Directory.CreateDirectory(partial);
            List<ComponentLayout> layouts = [.. networks.Select(network => ComponentLayout.Of(network, options.Lowering, Version))];
            long total = layouts.Sum(layout => layout.WeightBytes), done = 0;
            string phase = "";
            long reported = 0;
            var writer = new PackageWriter(partial, new WeightTransfer(file), bytes =>
            {
                done += bytes;
                if (done - reported < total / 200) return;
                reported = done;
                progress?.Report(new ExportProgress(phase, Math.Min(1, (double)done / total), done));
            }, cancellationToken);
            foreach (ComponentLayout layout in layouts)
            {
                phase = layout.Spec.Name;
                writer.Write(layout);
            }

            new PackageManifest
            {
                FormatVersion = PackageManifest.CurrentFormatVersion,
                ExporterVersion = Version,
                Lowering = options.Lowering,
                Precisions = precisions == own ? null : precisions,
                Checkpoint = new CheckpointSpec(Path.GetFileNameWithoutExtension(checkpoint), digest.GetAwaiter().GetResult(), file.Bytes)
                {
                    Title = file.Metadata.GetValueOrDefault("modelspec.title"),
                    License = file.Metadata.GetValueOrDefault("modelspec.license"),
                },
                Model = model,
                Components = [.. layouts.Select(layout => layout.Spec)],
                Files = writer.Files,
            }.Write(partial);

            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
            Directory.Move(partial, folder);
            progress?.Report(new ExportProgress("done", 1, done));
            return new ExportResult(folder, writer.Files.Sum(entry => entry.Bytes), clock.Elapsed);
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            throw new ExportFolderException(folder, exception);
        }
        finally
        {
            stop.Cancel();
            if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
        }
    }

    /// <summary>The components that a checkpoint's package would have; reads the checkpoint's header and writes nothing.</summary>
    /// <param name="checkpoint">Path of the safetensors file.</param>
    /// <param name="options">How it would be exported.</param>
    /// <exception cref="CheckpointException">The file is no SDXL checkpoint that can be exported.</exception>
    public static IReadOnlyList<ComponentSpec> Describe(string checkpoint, ExportOptions options)
    {
        using SafetensorsFile file = SafetensorsFile.Open(checkpoint);
        CheckpointInspector.RequireSdxlBase(file);
        return [.. CheckpointNetworks.Describe(file, options.Precisions ?? Precisions.Of(options.Lowering))
            .Networks.Select(network => ComponentLayout.Of(network, options.Lowering, Version).Spec)];
    }

    // Read by itself rather than through the mapping: the pages then count to the system's cache and not to this process.
    private static string Digest(string path, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        byte[] buffer = new byte[4 << 20];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, read);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
