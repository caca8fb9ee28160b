namespace MuseAtelier.Sampling;

/// <summary>The noise levels between which a model was trained.</summary>
/// <param name="Least">The least, above 0.</param>
/// <param name="Greatest">The greatest.</param>
internal readonly record struct LevelRange(double Least, double Greatest);
