using MuseAtelier.Adapters;
using MuseAtelier.Recipe;
using MuseAtelier.Format;

namespace MuseAtelier.Pipeline;

/// <summary>Plans a picture from the model's sizes alone: exports, opens and loads nothing, and needs no device.</summary>
internal static class PlanForecast
{
    /// <summary>The plan by which an atelier with these options would paint a picture on a device that no other program uses.</summary>
    /// <param name="model">Path of a package's folder or of a checkpoint.</param>
    /// <param name="options">The options of the atelier.</param>
    /// <param name="request">The picture.</param>
    /// <exception cref="BudgetTooSmallException">No plan keeps the budget.</exception>
    public static ResidencyPlan Of(string model, AtelierOptions options, PictureRequest request)
    {
        string path = PackageCache.Find(model, options.PackageChoice) ?? model;
        ModelSizes sizes = ModelSizes.Read(path, options.Backend.Lowering, options.Precisions);
        if (options.VaeFile is { } vae && path == model) sizes = sizes.WithVae(vae);
        long merged = LoraSwitch.Check(sizes.Manifest, request.Loras);
        var single = new PictureSeries(request, 1, 1)
        {
            MergedBytes = merged,
            SecondMergedBytes = request.Hires?.Loras is { } later ? LoraSwitch.Check(sizes.Manifest, later) : merged,
            Embeddings = EmbeddingFolder.Of(options.EmbeddingFolders),
        };
        ResidencyRequest wanted = request.Hires is null
            ? BatchPlanner.RequestOf(single, options, options.BudgetBytes())
            : HiresSeries.Of(single).PlanRequest(options, options.BudgetBytes());
        wanted = sizes.Complete(wanted);
        bool encodes = wanted.EncodesSource || wanted.SecondPass?.EncodesSource == true;
        if (encodes && sizes.Components.All(component => component.Name != PipelineRecipe.Encoder))
            throw new ModelPartMissingException(sizes.Name, PipelineRecipe.Encoder, "VAE encoder");
        return ResidencyPlanner.Plan(sizes, wanted, options.Backend.Profile);
    }
}
