using System.Diagnostics.CodeAnalysis;

namespace MuseAtelier.Sampling;

/// <summary>What a sampler is made from.</summary>
[Experimental(Experiments.Sampling)]
public sealed record SamplerSettings
{
    /// <summary>Creates the settings of a sampler; for tests of samplers.</summary>
    /// <param name="schedule">The noise levels of the steps.</param>
    public SamplerSettings(SigmaSchedule schedule) => Schedule = schedule;

    /// <summary>The noise levels of the steps.</summary>
    public SigmaSchedule Schedule { get; init; }

    /// <summary>The strength of the noise in every step, 0 to 1; null means the sampler's own default.</summary>
    public float? Eta { get; init; }

    /// <summary>The program whose function is used where programs mean different functions by the sampler's name.</summary>
    public SamplingDialect Dialect { get; init; }

    /// <summary>
    /// <see cref="Eta"/> as the decimal number that was written, because programs compute with it in double precision.
    /// </summary>
    /// <param name="standard">The sampler's default.</param>
    internal double EtaOr(double standard) => Eta is { } eta ? (double)(decimal)eta : standard;
}
