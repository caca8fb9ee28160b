using MuseAtelier.Conditioning;

namespace MuseAtelier.Sampling;

/// <summary>Makes what denoising needs for the requests of one model.</summary>
/// <param name="Trained">The schedule that the model was trained on.</param>
/// <param name="Catalogs">The samplers and noise sources that requests can name.</param>
internal sealed record ModelSampling(TrainedSchedule Trained, SamplingCatalogs Catalogs)
{
    /// <summary>Reads the prompts of a request.</summary>
    public Func<PictureRequest, RequestPrompts> ReadPrompts { get; init; } = request => RequestPrompts.Of(request);

    /// <summary>Makes the recipe of a request, whose names are in the catalogues.</summary>
    /// <param name="request">The request.</param>
    /// <param name="weights">The weight of each part of the prompt; null means one part of weight 1.</param>
    public SamplingRecipe RecipeOf(PictureRequest request, IReadOnlyList<float>? weights = null) =>
        SamplingRecipe.Of(request, Trained, Catalogs.Samplers, weights);

    /// <summary>Makes the noise of each picture; its names are in the catalogues.</summary>
    public PictureNoise[] NoiseOf(IReadOnlyList<PictureRequest> pictures) => Catalogs.NoiseOf(pictures);
}
