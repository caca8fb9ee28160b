using MuseAtelier.Format;

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
    /// <param name="request">The request.</param>
    /// <param name="weights">The weight of each part of the prompt; null means one part of weight 1.</param>
    /// <param name="span">The steps of the schedule and those that run; null means those of the request.</param>
    public SamplingRecipe RecipeOf(PictureRequest request, IReadOnlyList<float>? weights = null, StepSpan? span = null)
    {
        bool isUsual = request.Prediction == ModelPrediction.Automatic;
        TrainedSchedule trained = isUsual ? _usual : TrainedSchedule.Of(PredictionOf(request));
        return SamplingRecipe.Of(request, trained, Catalogs.Samplers, weights, span);
    }

    /// <summary>Makes the noise of each picture; its names are in the catalogues.</summary>
    public PictureNoise[] NoiseOf(IReadOnlyList<PictureRequest> pictures) => Catalogs.NoiseOf(pictures);
}
