namespace MuseAtelier;

/// <summary>The progress of opening a model.</summary>
/// <param name="Phase">The present work, in words.</param>
/// <param name="Fraction">The share of it that is done, 0 to 1.</param>
public readonly record struct LoadProgress(string Phase, double Fraction);
