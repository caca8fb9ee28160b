using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier.Sampling;

/// <summary>A generator of standard normal numbers. Each call continues where the last one ended.</summary>
[Experimental(Experiments.Sampling)]
public interface INoiseGenerator
{
    /// <summary>
    /// Draws as many numbers as fit, as one draw of a generator: two halves need not be the same as a whole. Must not allocate, because it
    /// runs in the denoising loop.
    /// </summary>
    /// <param name="destination">Receives the numbers, fp32, for latents of shape [4, Height/8, Width/8]; borrowed.</param>
    void Fill(Span<float> destination);
}
