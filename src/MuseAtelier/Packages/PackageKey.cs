using System.Text;
using MuseAtelier.Export;
using MuseAtelier.Export.Storage;
using MuseAtelier.Packages;

namespace MuseAtelier;

/// <summary>
/// The name of a checkpoint's package in the cache. It changes with the checkpoint, the exporter, and what the package is for.
/// </summary>
internal static class PackageKey
{
    // Digest and ending take forty more: the whole stays far below what file systems and Windows' paths allow.
    private const int LongestName = 40;
    private const int DigestLetters = 12;

    /// <summary>The name.</summary>
    /// <param name="checkpoint">Path of the checkpoint, as it was given: people find the package by its file name.</param>
    /// <param name="identity">What stands for its content: hashing 7 GB at every start would cost more than loading them.</param>
    /// <param name="options">What the package is for.</param>
    public static string Of(string checkpoint, CheckpointIdentity identity, ExportOptions options)
    {
        string text = FormattableString.Invariant($"{identity.Path}|{identity.Bytes}|{identity.Ticks}|{identity.Samples}|")
            + FormattableString.Invariant($"{CheckpointExporter.Version}|{PackageManifest.CurrentFormatVersion}");
        string digest = Sha256.Hash(Encoding.UTF8.GetBytes(text))[..DigestLetters];
        string precisions = options.Precisions is { } chosen && chosen != Precisions.Of(options.Lowering) ? $"-{chosen.Code()}" : "";
        return $"{Name(checkpoint)}-{(options.Lowering == Lowering.Cuda ? "cuda" : "portable")}{precisions}-{digest}";
    }

    private static string Name(string checkpoint)
    {
        string name = Path.GetFileNameWithoutExtension(checkpoint);
        if (name.Length <= LongestName) return name;
        return name[..(char.IsHighSurrogate(name[LongestName - 1]) ? LongestName - 1 : LongestName)];
    }
}
