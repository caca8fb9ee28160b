using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier.Sampling;

/// <summary>
/// One evaluation of the UNet. A sampler of first order has one for each step; one of second order has two for most steps. Time
/// embeddings, digests, progress and estimated time count evaluations.
/// </summary>
[Experimental(Experiments.Sampling)]
public readonly record struct Evaluation
{
    /// <summary>Describes an evaluation. <see cref="Sampler"/> checks the ranges.</summary>
    /// <param name="index">Its index among the sampler's evaluations, from 0.</param>
    /// <param name="step">The step to which it belongs, from 0.</param>
    /// <param name="sigma">The noise level of the latents that the UNet is given, above 0.</param>
    /// <param name="timestep">
    /// The timestep that the UNet is given for this noise level; may have a fraction. From 0 to 1000, and for models of the EDM formulation
    /// 0.25 ln sigma, which may be below 0.
    /// </param>
    /// <param name="noiseDraws">
    /// The number of draws of noise, 0 to <see cref="Sampler.MostNoiseDraws"/>, that <see cref="Sampler.Advance"/> reads after it.
    /// </param>
    public Evaluation(int index, int step, float sigma, float timestep, int noiseDraws = 0)
    {
        Index = index;
        Step = step;
        Sigma = sigma;
        Timestep = timestep;
        NoiseDraws = noiseDraws;
    }

    /// <summary>Its index among the sampler's evaluations, from 0.</summary>
    public int Index { get; init; }

    /// <summary>The step to which it belongs, from 0.</summary>
    public int Step { get; init; }

    /// <summary>The noise level of the latents that the UNet is given, above 0.</summary>
    public float Sigma { get; init; }

    /// <summary>
    /// The timestep that the UNet is given for this noise level; may have a fraction. From 0 to 1000, and for models of the EDM formulation
    /// 0.25 ln sigma, which may be below 0.
    /// </summary>
    public float Timestep { get; init; }

    /// <summary>
    /// The number of draws of noise, 0 to <see cref="Sampler.MostNoiseDraws"/>, that <see cref="Sampler.Advance"/> reads after it.
    /// </summary>
    public int NoiseDraws { get; init; }
}
