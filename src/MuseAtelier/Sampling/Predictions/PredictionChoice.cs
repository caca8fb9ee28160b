using MuseAtelier.Format;

namespace MuseAtelier.Sampling;

/// <summary>The quantity that a model is taken to predict, and why.</summary>
/// <param name="Type">The quantity.</param>
/// <param name="HasZeroTerminalSnr">Whether the last trained timestep is noise alone.</param>
/// <param name="Sigmas">The continuous range of noise levels; null for discrete timesteps.</param>
/// <param name="Reason">What decided it, in words.</param>
internal sealed record PredictionChoice(PredictionType Type, bool HasZeroTerminalSnr, SigmaRange? Sigmas, string Reason)
{
    /// <summary>The choice by which a request would ask for it.</summary>
    public ModelPrediction Used => Type switch
    {
        PredictionType.Epsilon => ModelPrediction.Epsilon,
        PredictionType.Velocity => HasZeroTerminalSnr ? ModelPrediction.VelocityZeroSnr : ModelPrediction.Velocity,
        PredictionType.Edm => ModelPrediction.Edm,
        PredictionType.VelocityEdm => ModelPrediction.VelocityEdm,
        PredictionType.Sample => ModelPrediction.Sample,
        _ => throw new InvalidOperationException($"There is no request for {Type}."),
    };

    /// <summary>The choice of a request for a model: what the model's manifest says, unless the request says otherwise.</summary>
    /// <param name="model">The model.</param>
    /// <param name="asked">The request's choice.</param>
    public static PredictionChoice Of(ModelSpec model, ModelPrediction asked)
    {
        if (asked == ModelPrediction.Automatic)
        {
            string reason = model.PredictionMark is { } mark
                ? $"the model's file says so: {mark}"
                : "the model's file has no mark of another";
            return new PredictionChoice(model.Prediction, model.ZeroTerminalSnr, model.Sigmas, reason);
        }

        PredictionType type = TypeOf(asked);
        // The file's own range counts where it has one.
        SigmaRange? range = type == model.Prediction ? model.Sigmas : SigmaRange.Of(type);
        return new PredictionChoice(type, asked == ModelPrediction.VelocityZeroSnr, range, "the request says so");
    }

    private static PredictionType TypeOf(ModelPrediction asked) => asked switch
    {
        ModelPrediction.Epsilon => PredictionType.Epsilon,
        ModelPrediction.Velocity or ModelPrediction.VelocityZeroSnr => PredictionType.Velocity,
        ModelPrediction.Edm => PredictionType.Edm,
        ModelPrediction.VelocityEdm => PredictionType.VelocityEdm,
        ModelPrediction.Sample => PredictionType.Sample,
        _ => throw new ArgumentOutOfRangeException(nameof(asked), asked, null),
    };
}
