namespace MuseAtelier;

/// <summary>The quantity that a model was taken to predict, and what decided it.</summary>
/// <param name="Used">The quantity; never <see cref="ModelPrediction.Automatic"/>.</param>
/// <param name="Reason">In words: the request, or the mark in the model's file.</param>
public sealed record UsedPrediction(ModelPrediction Used, string Reason);
