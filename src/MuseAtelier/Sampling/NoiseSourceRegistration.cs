using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier.Sampling;

/// <summary>A noise source that requests can name, once <see cref="AtelierOptions.NoiseSources"/> registers it.</summary>
/// <param name="Name">The name that requests give.</param>
/// <param name="Create">
/// Makes the generators of one picture from its seed. Called once for each picture, on the engine's thread. The same seed must give the
/// same numbers.
/// </param>
[Experimental(Experiments.Sampling)]
public sealed record NoiseSourceRegistration(NoiseSource Name, Func<ulong, PictureNoise> Create);
