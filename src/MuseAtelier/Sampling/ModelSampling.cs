namespace MuseAtelier.Sampling;

/// <summary>Makes what denoising needs for the requests of one model.</summary>
/// <param name="Trained">The schedule that the model was trained on.</param>
/// <param name="Catalogs">The samplers and noise sources that requests can name.</param>
internal sealed record ModelSampling(TrainedSchedule Trained, SamplingCatalogs Catalogs)
{
    /// <summary>Makes the recipe of a request, whose names are in the catalogues.</summary>
    public SamplingRecipe RecipeOf(PictureRequest request) => SamplingRecipe.Of(request, Trained, Catalogs.Samplers);

    /// <summary>Makes the noise of each picture; its names are in the catalogues.</summary>
    public PictureNoise[] NoiseOf(IReadOnlyList<PictureRequest> pictures) => Catalogs.NoiseOf(pictures);
}
