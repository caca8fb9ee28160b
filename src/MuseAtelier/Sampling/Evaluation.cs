using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier.Sampling;

/// <summary>
/// One evaluation of the UNet. A sampler of first order has one for each step; one of second order has two for most steps. Time
/// embeddings, digests, progress and estimated time count evaluations.
/// </summary>
/// <param name="Index">Its index among the sampler's evaluations, from 0.</param>
/// <param name="Step">The step to which it belongs, from 0.</param>
/// <param name="Sigma">The noise level of the latents that the UNet is given, above 0.</param>
/// <param name="Timestep">
/// The timestep that the UNet is given for this noise level; may have a fraction. From 0 to 1000, and for models of the EDM formulation
/// 0.25 ln sigma, which may be below 0.
/// </param>
/// <param name="NoiseDraws">
/// The number of draws of noise, 0 to <see cref="Sampler.MostNoiseDraws"/>, that <see cref="Sampler.Advance"/> reads after it.
/// </param>
[Experimental(Experiments.Sampling)]
public readonly record struct Evaluation(int Index, int Step, float Sigma, float Timestep, int NoiseDraws = 0);
