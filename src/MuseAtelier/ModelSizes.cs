using MuseAtelier.Export;
using MuseAtelier.Packages;

namespace MuseAtelier;

/// <summary>What a plan needs to know of a model: the parts it is made of and their sizes.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Lowering">For which kind of device the parts are lowered.</param>
/// <param name="Components">The parts; their files need not be there.</param>
public sealed record ModelSizes(string Name, Lowering Lowering, IReadOnlyList<ComponentSpec> Components)
{
    /// <summary>The arithmetic of the parts.</summary>
    public Precisions Precisions { get; init; } = Precisions.Of(Lowering);

    /// <summary>The sizes of an exported package.</summary>
    /// <param name="manifest">The package's manifest.</param>
    public static ModelSizes Of(PackageManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return new ModelSizes(manifest.Checkpoint.Name, manifest.Lowering, manifest.Components) { Precisions = manifest.PartPrecisions };
    }

    /// <summary>Reads the sizes of a package, or those that a checkpoint's package would have; exports nothing.</summary>
    /// <param name="model">Path of a package's folder or of an SDXL single-file checkpoint.</param>
    /// <param name="lowering">For which kind of device.</param>
    /// <param name="precisions">The arithmetic of a checkpoint's package; null means the lowering's own. A package has its own in any case.</param>
    /// <exception cref="MuseAtelierException">The model cannot be used; the exception's type and message say why and what to do.</exception>
    public static ModelSizes Read(string model, Lowering lowering, Precisions? precisions = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        if (!Directory.Exists(model) || !File.Exists(Path.Combine(model, PackageManifest.FileName)))
        {
            var export = new ExportOptions { Lowering = lowering, Precisions = precisions };
            return new ModelSizes(Path.GetFileNameWithoutExtension(model), lowering, CheckpointExporter.Describe(model, export)) { Precisions = precisions ?? Precisions.Of(lowering) };
        }

        PackageManifest manifest = PackageManifest.Read(model);
        return manifest.Lowering == lowering ? Of(manifest) : throw new PackageLoweringException(model, manifest.Lowering, lowering);
    }

    internal ComponentSpec Component(string name) => Components.First(component => component.Name == name);
}
