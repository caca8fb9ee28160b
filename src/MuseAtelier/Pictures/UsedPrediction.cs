namespace MuseAtelier;

/// <summary>The quantity that a model was taken to predict, and what decided it.</summary>
public sealed record UsedPrediction
{
    /// <summary>Creates the description of a prediction.</summary>
    /// <param name="used">The quantity; never <see cref="ModelPrediction.Automatic"/>.</param>
    /// <param name="reason">In words: the request, or the mark in the model's file.</param>
    public UsedPrediction(ModelPrediction used, string reason) => (Used, Reason) = (used, reason);

    /// <summary>The quantity; never <see cref="ModelPrediction.Automatic"/>.</summary>
    public ModelPrediction Used { get; init; }

    /// <summary>In words: the request, or the mark in the model's file.</summary>
    public string Reason { get; init; }
}
