using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier.Sampling;

/// <summary>The generators from which one picture's noise is drawn.</summary>
/// <param name="Start">Gives the initial noise, in one draw.</param>
/// <param name="Steps">
/// Gives the noise of the steps, one draw after the other; may be the same generator as <paramref name="Start"/>.
/// </param>
[Experimental(Experiments.Sampling)]
public sealed record PictureNoise(INoiseGenerator Start, INoiseGenerator Steps)
{
    /// <summary>
    /// The Brownian motion for the steps of samplers that ask for one (<see cref="Sampler.StepNoise"/>); null means that they too draw from
    /// <see cref="Steps"/>.
    /// </summary>
    public BrownianNoise? Brownian { get; init; }
}
