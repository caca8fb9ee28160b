using System.Text;
using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Storage;
using MuseAtelier.Format;

namespace MuseAtelier;

/// <summary>
/// The name of a checkpoint's package in the cache. It changes with the checkpoint, the mark of its prediction in a .yaml file beside
/// it, the exporter and the export options.
/// </summary>
internal static class PackageKey
{
    // Digest and suffix have forty more letters, so that the name stays below the limits of file systems and Windows' paths.
    private const int LongestName = 40;
    private const int DigestLetters = 12;

    /// <summary>The name.</summary>
    /// <param name="checkpoint">
    /// Path of the checkpoint as it was given. Its file name begins the name, for people who look for the package.
    /// </param>
    /// <param name="identity">Identifies its content without a hash of all 7 GB, which would take longer than loading them.</param>
    /// <param name="options">The export options of the package.</param>
    public static string Of(string checkpoint, CheckpointIdentity identity, ExportOptions options)
    {
        string text = FormattableString.Invariant($"{identity.Path}|{identity.Bytes}|{identity.Ticks}|{identity.Samples}|")
            + FormattableString.Invariant($"{CheckpointExporter.Version}|{PackageManifest.CurrentFormatVersion}");
        if (identity.SaidBeside is { } said) text += $"|{said}";
        string digest = Sha256.Hash(Encoding.UTF8.GetBytes(text))[..DigestLetters];
        string precisions = options.Precisions is { } chosen && chosen != Precisions.Of(options.Lowering) ? $"-{chosen.Code()}" : "";
        return $"{Name(checkpoint)}-{(options.Lowering == Lowering.Cuda ? "cuda" : "portable")}{precisions}-{digest}";
    }

    /// <summary>The name of the overlay that replaces a package's VAE.</summary>
    /// <param name="basis">The package's folder. Its name begins the overlay's, for people who look for it.</param>
    /// <param name="vae">Identifies the VAE's file.</param>
    public static string OfVae(string basis, CheckpointIdentity vae)
    {
        string name = Path.GetFileName(basis);
        string text = FormattableString.Invariant($"{name}|{ManifestReader.Digest(basis)}|{vae.Path}|{vae.Bytes}|{vae.Ticks}|{vae.Samples}|")
            + FormattableString.Invariant($"{CheckpointExporter.Version}|{PackageManifest.CurrentFormatVersion}");
        return $"{name}-vae-{Sha256.Hash(Encoding.UTF8.GetBytes(text))[..DigestLetters]}";
    }

    private static string Name(string checkpoint)
    {
        string name = ModelFolder.NameOf(checkpoint);
        if (name.Length <= LongestName) return name;
        return name[..(char.IsHighSurrogate(name[LongestName - 1]) ? LongestName - 1 : LongestName)];
    }
}
