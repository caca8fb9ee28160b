using MuseAtelier.Export.Packaging;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// Writes overlays whose weights are those of a package with LoRAs, rounded to the types of the package. The engine makes the same bytes
/// in memory for weights that keep their type; on a processor it leaves merged weights in fp32, so the last bits differ there.
/// </summary>
internal static class LoraOverlay
{
    /// <summary>Writes an overlay. The folder appears only when it is complete.</summary>
    /// <param name="basePackage">Path of the folder of the package.</param>
    /// <param name="name">The name of the changed model, up to 4,096 characters.</param>
    /// <param name="uses">The LoRAs and their strengths, in the order in which they are added.</param>
    /// <param name="folder">Path of the overlay's folder. It must lie in the same folder as the base.</param>
    /// <param name="cancellationToken">Cancels within one weight. All files written so far are deleted.</param>
    /// <returns>Bytes of all files of the overlay except the manifest, and sentences for the user.</returns>
    /// <exception cref="LoraException">A LoRA does not fit the model, or a changed weight exceeds the range of its type.</exception>
    /// <exception cref="PackageException">The package cannot be used.</exception>
    /// <exception cref="ExportFolderException">The folder cannot be written, or does not lie beside the base.</exception>
    public static (long Bytes, IReadOnlyList<string> Notices) Write(
        string basePackage, string name, IReadOnlyList<LoraUse> uses, string folder, CancellationToken cancellationToken = default)
    {
        LoraSet? set = null;
        long bytes = OverlayWriter.Write(basePackage, name, Change, _ => { }, folder, cancellationToken);
        return (bytes, set!.Notices);

        LoraWeights Change(PackageManifest manifest)
        {
            set = LoraSet.Of(manifest, uses);
            return new LoraWeights(new PackageWeights(manifest, new Dictionary<string, List<LoraChange>>()), set);
        }
    }

    private sealed class LoraWeights(PackageWeights package, LoraSet set) : IChangedWeights
    {
        public bool IsChanged(WeightSpec weight) => set.Touches(weight);

        public void Write(WeightSpec weight, string component, ByteSink write, CancellationToken cancellationToken)
        {
            cancellationToken.ThrowIfCancellationRequested();
            byte[] bytes = package.Read(weight);
            set.Merge(weight, bytes);
            write(bytes);
        }
    }
}
