using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier.Sampling;

/// <summary>
/// The Brownian motion of one picture, from whose increments samplers of stochastic equations take their noise: torchsde's BrownianTree
/// (torchsde/_brownian/derived.py), as k-diffusion uses it (k_diffusion/sampling.py, BrownianTreeNoiseSampler).
/// </summary>
[Experimental(Experiments.Sampling)]
public sealed record BrownianNoise
{
    /// <summary>Describes a Brownian motion.</summary>
    /// <param name="entropy">The number from which the seeds of all nodes of the tree are computed.</param>
    /// <param name="normals">The generator whose numbers the nodes draw.</param>
    public BrownianNoise(ulong entropy, ISeededNoiseGenerator normals)
    {
        Entropy = entropy;
        Normals = normals;
    }

    /// <summary>The number from which the seeds of all nodes of the tree are computed.</summary>
    public ulong Entropy { get; init; }

    /// <summary>The generator whose numbers the nodes draw.</summary>
    public ISeededNoiseGenerator Normals { get; init; }

    /// <summary>
    /// Whether multistep samplers (<see cref="StepNoise.BrownianMultistep"/>) also take their noise from it, as in k-diffusion. In
    /// diffusers they draw independent numbers.
    /// </summary>
    public bool ServesMultistep { get; init; } = true;

    /// <summary>Whether samplers with that kind of noise take it from the Brownian motion.</summary>
    internal bool Serves(StepNoise noise) => noise == StepNoise.Brownian || (noise == StepNoise.BrownianMultistep && ServesMultistep);
}
