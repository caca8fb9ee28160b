using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier.Sampling;

/// <summary>The kind of noise that a sampler draws in its steps.</summary>
[Experimental(Experiments.Sampling)]
public enum StepNoise
{
    /// <summary>Independent standard normal numbers in every draw: ancestral samplers.</summary>
    Independent,

    /// <summary>
    /// Increments of a Brownian motion over the noise levels of each draw, divided by the square root of the interval's length, so that
    /// they are standard normal: a single-step sampler of a stochastic equation.
    /// </summary>
    Brownian,

    /// <summary>
    /// The same for a multistep sampler of a stochastic equation. diffusers draws independent numbers for these
    /// (scheduling_dpmsolver_multistep.py), k-diffusion and the programs that use it draw increments.
    /// </summary>
    BrownianMultistep,
}
