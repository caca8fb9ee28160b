using System.Diagnostics;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Networks;
using MuseAtelier.Export.Storage;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Packaging;

/// <summary>
/// Writes an overlay that replaces the VAE of a package by one in a file of its own. Its stages are those of an export of a checkpoint
/// with that VAE, so they have the file's own number types. All other parts stay in the base.
/// </summary>
internal static class VaeOverlay
{
    // Files of an overlay must not have the names of the base's.
    private const string Suffix = "-overlay";

    /// <summary>Describes the components that replace those of a package. Only the header of the VAE is read.</summary>
    /// <param name="vaeFile">Path of the VAE's file.</param>
    /// <param name="components">The components of the package.</param>
    /// <param name="lowering">The kind of device.</param>
    /// <param name="precision">The arithmetic of the VAE.</param>
    /// <exception cref="CheckpointException">The file cannot be read, or holds no VAE that fits.</exception>
    public static IReadOnlyList<ComponentSpec> Describe(
        string vaeFile, IReadOnlyList<ComponentSpec> components, Lowering lowering, Precision precision)
    {
        using TensorFile vae = VaeFile.Open(vaeFile);
        return [.. Layouts(vae, components, lowering, precision).Select(layout => layout.Spec with { Name = NameOf(layout.Spec) })];
    }

    /// <summary>Writes an overlay. The folder appears only when it is complete.</summary>
    /// <param name="basePackage">Path of the base's folder.</param>
    /// <param name="vaeFile">Path of the VAE's file.</param>
    /// <param name="place">The overlay's folder, beside the base.</param>
    /// <param name="progress">Receives the progress on the calling thread.</param>
    /// <param name="cancellationToken">Cancels within a few MiB. All files written so far are deleted.</param>
    /// <exception cref="PackageException">The base cannot be used.</exception>
    /// <exception cref="CheckpointException">The VAE cannot be read, does not fit, or was changed meanwhile.</exception>
    /// <exception cref="ExportFolderException">The folder cannot be written.</exception>
    public static ExportResult Write(
        string basePackage, string vaeFile, ExportPlace place, IProgress<ExportProgress>? progress, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        CheckpointIdentity before = CheckpointIdentity.Of(vaeFile);
        using TensorFile vae = VaeFile.Open(vaeFile);
        // The base must stay as it is while it is read, because the overlay states the digest of its manifest.
        using FileStream use = PackageUse.Hold(basePackage);
        PackageManifest manifest = PackageManifest.Read(basePackage);
        if (manifest.Overlay is not null) throw new PackageBaseException(place.Folder, basePackage, "that is an overlay itself");
        IReadOnlyList<ComponentLayout> layouts =
            Layouts(vae, manifest.Components, manifest.Lowering, manifest.PartPrecisions.Vae.Arithmetic);
        using var parents = new NewFolders(place.Folder);
        try
        {
            place.RequireFree();
            place.ClearLeftovers();
            using PartialFolder partial = PartialFolder.Create(place.Folder);
            var report = new ExportReport(layouts.Sum(layout => layout.WeightBytes), progress) { Phase = "VAE" };
            var writer = new PackageWriter(partial.Path, new WeightTransfer(vae), report.Written, cancellationToken);
            foreach (ComponentLayout layout in layouts) writer.Write(layout);
            string sha256 = CheckpointDigest.Of(vaeFile, cancellationToken);
            new OverlayManifest
            {
                FormatVersion = PackageManifest.CurrentFormatVersion,
                ExporterVersion = CheckpointExporter.Version,
                Name = manifest.Checkpoint.Name,
                Base = new BaseSpec(Path.GetFileName(basePackage), ManifestReader.Digest(basePackage)),
                Vae = new VaeSpec(Path.GetFileName(vaeFile), sha256),
                Stages = [.. layouts.SelectMany(layout => layout.Spec.Stages.Select(stage => new OverlayStage(NameOf(layout.Spec), stage)))],
                Files = writer.Files,
            }.Write(partial.Path);
            // Reading applies all rules of manifests to the overlay and its base together, because the base is untrusted too.
            PackageManifest.Read(partial.Path);
            if (CheckpointIdentity.Of(vaeFile) != before) throw new CheckpointChangedException(vaeFile);
            cancellationToken.ThrowIfCancellationRequested();
            place.Publish(partial);
            report.Done();
            return new ExportResult(place.Folder, writer.Files.Sum(entry => entry.Bytes), clock.Elapsed);
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            throw new ExportFolderException(place.Folder, exception);
        }
    }

    // A package has the fp32 decoder only if its VAE computes in fp16, and the encoder only if its checkpoint has one.
    private static List<ComponentLayout> Layouts(
        TensorFile vae, IReadOnlyList<ComponentSpec> components, Lowering lowering, Precision precision)
    {
        var problems = new TensorProblems();
        var weights = new CheckpointWeights(vae, new TensorNames(vae), VaeFile.Prefix, problems);
        var own = new VaeNetwork(weights, precision.Type());
        List<Network> networks = [];
        foreach (ComponentSpec component in components)
        {
            Network? network = component.Name switch
            {
                ComponentNames.VaeDecoder => own.Decoder(component.Name + Suffix),
                ComponentNames.VaeDecoderFp32 => new VaeNetwork(weights, ElementType.F32).Decoder(component.Name + Suffix),
                ComponentNames.VaeEncoder => own.Encoder(component.Name + Suffix),
                _ => null,
            };
            if (network is not null) networks.Add(network);
        }

        problems.ThrowIfAny(vae);
        return [.. networks.Select(network => ComponentLayout.Of(network, lowering, CheckpointExporter.Version))];
    }

    private static string NameOf(ComponentSpec component) => component.Name[..^Suffix.Length];
}
