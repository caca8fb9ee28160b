using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Packaging;
using MuseAtelier.Format;
using MuseAtelier.Recipe;

namespace MuseAtelier;

/// <summary>The parts of a model and their sizes, from which a plan is made.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Lowering">The kind of device that the parts are lowered for.</param>
/// <param name="Components">The parts. Their files need not exist.</param>
internal sealed record ModelSizes(string Name, Lowering Lowering, IReadOnlyList<ComponentSpec> Components)
{
    /// <summary>The arithmetic of the parts.</summary>
    public Precisions Precisions { get; init; } = Precisions.Of(Lowering);

    /// <summary>The sizes of an exported package.</summary>
    /// <param name="manifest">The package's manifest.</param>
    public static ModelSizes Of(PackageManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return new ModelSizes(manifest.Checkpoint.Name, manifest.Lowering, manifest.Components)
        {
            Precisions = manifest.PartPrecisions,
        };
    }

    /// <summary>Reads the sizes of a package, or the sizes that a checkpoint's package would have. Exports nothing.</summary>
    /// <param name="model">Path of a package's folder or of an SDXL checkpoint.</param>
    /// <param name="lowering">The kind of device.</param>
    /// <param name="precisions">
    /// The arithmetic of a checkpoint's package; null means the lowering's own. Ignored for a package, whose arithmetic is fixed.
    /// </param>
    /// <exception cref="MuseAtelierException">
    /// The model cannot be used; the exception's type and message give the reason and the remedy.
    /// </exception>
    public static ModelSizes Read(string model, Lowering lowering, Precisions? precisions = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(model);
        if (!Directory.Exists(model) || !File.Exists(Path.Combine(model, PackageManifest.FileName)))
        {
            var export = new ExportOptions { Lowering = lowering, Precisions = precisions };
            return new ModelSizes(ModelFolder.NameOf(model), lowering, CheckpointExporter.Describe(model, export))
            {
                Precisions = precisions ?? Precisions.Of(lowering),
            };
        }

        PackageManifest manifest = PackageManifest.Read(model);
        if (manifest.Upscaler is not null) throw new PackageKindException(model, isUpscaler: true);
        return manifest.Lowering == lowering ? Of(manifest) : throw new PackageLoweringException(model, manifest.Lowering, lowering);
    }

    /// <summary>The sizes as the manifest of a package, whose files need not exist.</summary>
    internal PackageManifest Manifest => new()
    {
        FormatVersion = PackageManifest.CurrentFormatVersion,
        ExporterVersion = "",
        Lowering = Lowering,
        Precisions = Precisions,
        Checkpoint = new CheckpointSpec(Name, "", 0),
        Components = Components,
        Files = [],
    };

    /// <summary>The sizes with another VAE, of whose file only the header is read.</summary>
    /// <param name="vaeFile">Path of the VAE's file.</param>
    /// <exception cref="CheckpointException">The file cannot be read, or holds no VAE that fits.</exception>
    public ModelSizes WithVae(string vaeFile)
    {
        IReadOnlyList<ComponentSpec> parts = VaeOverlay.Describe(vaeFile, Components, Lowering, Precisions.Vae.Arithmetic);
        return this with { Components = [.. Components.Select(own => parts.FirstOrDefault(part => part.Name == own.Name) ?? own)] };
    }

    /// <summary>
    /// Whether every picture needs the encoder: an inpainting model reads a mask and a masked picture behind the latents, even where it
    /// paints from nothing.
    /// </summary>
    internal bool AlwaysEncodes
    {
        get
        {
            const int latentChannels = 4;
            TensorSpec latents = Component(PipelineRecipe.EveryStep.Name).Inputs.First(input => input.Name == "latents");
            return latents.Shape.Where(dimension => dimension.IsFixed).Any(dimension => dimension.Resolve(default) > latentChannels);
        }
    }

    /// <summary>The request with what the model needs in any case.</summary>
    internal ResidencyRequest Complete(ResidencyRequest request) => !AlwaysEncodes ? request : request with
    {
        EncodesSource = true,
        SecondPass = request.SecondPass is { } second ? second with { EncodesSource = true } : null,
    };

    internal ComponentSpec Component(string name) => Components.First(component => component.Name == name);
}
