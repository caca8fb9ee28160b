using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier.Sampling;

/// <summary>Standard normal numbers that follow from a seed alone: the draws of which a Brownian motion is made.</summary>
[Experimental(Experiments.Sampling)]
public interface ISeededNoiseGenerator
{
    /// <summary>
    /// Draws the first numbers that a generator with the seed gives. Called by several threads at once. Must not allocate, because it runs
    /// in the denoising loop.
    /// </summary>
    /// <param name="seed">The seed.</param>
    /// <param name="destination">Receives the numbers, fp32, for latents of shape [4, Height/8, Width/8]; borrowed.</param>
    void Fill(uint seed, Span<float> destination);
}
