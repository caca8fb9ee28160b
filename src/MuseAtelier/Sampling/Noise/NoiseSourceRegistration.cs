using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier.Sampling;

/// <summary>A noise source that requests can name, once <see cref="AtelierOptions.NoiseSources"/> registers it.</summary>
[Experimental(Experiments.Sampling)]
public sealed record NoiseSourceRegistration
{
    /// <summary>Describes a noise source.</summary>
    /// <param name="name">The name that requests give.</param>
    /// <param name="create">
    /// Makes the generators of one picture from its seed. Called once for each picture, on the engine's thread. The same seed must give the
    /// same numbers.
    /// </param>
    public NoiseSourceRegistration(NoiseSource name, Func<ulong, PictureNoise> create)
    {
        Name = name;
        Create = create;
    }

    /// <summary>The name that requests give.</summary>
    public NoiseSource Name { get; init; }

    /// <summary>
    /// Makes the generators of one picture from its seed. Called once for each picture, on the engine's thread. The same seed must give the
    /// same numbers.
    /// </summary>
    public Func<ulong, PictureNoise> Create { get; init; }
}
