using MuseAtelier.Packages;

namespace MuseAtelier.Sampling;

/// <summary>Makes what denoising needs for the requests of one model.</summary>
/// <param name="Model">The model.</param>
/// <param name="Catalogs">The samplers and noise sources that requests can name.</param>
internal sealed record ModelSampling(ModelSpec Model, SamplingCatalogs Catalogs)
{
    private readonly TrainedSchedule _usual = TrainedSchedule.Of(Model);

    /// <summary>The quantity that the model is taken to predict for a request.</summary>
    public PredictionChoice PredictionOf(PictureRequest request) => PredictionChoice.Of(Model, request.Prediction);

    /// <summary>Makes the recipe of a request, whose names are in the catalogues.</summary>
    public SamplingRecipe RecipeOf(PictureRequest request)
    {
        bool isUsual = request.Prediction == ModelPrediction.Automatic;
        return SamplingRecipe.Of(request, isUsual ? _usual : TrainedSchedule.Of(PredictionOf(request)), Catalogs.Samplers);
    }

    /// <summary>Makes the noise of each picture; its names are in the catalogues.</summary>
    public PictureNoise[] NoiseOf(IReadOnlyList<PictureRequest> pictures) => Catalogs.NoiseOf(pictures);
}
