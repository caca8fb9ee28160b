using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier.Sampling;

/// <summary>The generators from which one picture's noise is drawn.</summary>
[Experimental(Experiments.Sampling)]
public sealed record PictureNoise
{
    /// <summary>Combines the generators of one picture.</summary>
    /// <param name="start">Gives the initial noise, in one draw.</param>
    /// <param name="steps">
    /// Gives the noise of the steps, one draw after the other; may be the same generator as <paramref name="start"/>.
    /// </param>
    public PictureNoise(INoiseGenerator start, INoiseGenerator steps)
    {
        Start = start;
        Steps = steps;
    }

    /// <summary>Gives the initial noise, in one draw.</summary>
    public INoiseGenerator Start { get; init; }

    /// <summary>Gives the noise of the steps, one draw after the other; may be the same generator as <see cref="Start"/>.</summary>
    public INoiseGenerator Steps { get; init; }

    /// <summary>
    /// The Brownian motion for the steps of samplers that ask for one (<see cref="Sampler.StepNoise"/>); null means that they too draw from
    /// <see cref="Steps"/>.
    /// </summary>
    public BrownianNoise? Brownian { get; init; }
}
