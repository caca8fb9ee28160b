using MuseAtelier.Sampling;

namespace MuseAtelier.Samples.CustomSampler;

/// <summary>A sampler and a noise source that the library does not have, and their registration.</summary>
public static class CustomParts
{
    /// <summary>The name of the sampler in requests.</summary>
    public static SamplerName Ralston { get; } = new("ralston");

    /// <summary>The name of the noise source in requests.</summary>
    public static NoiseSource SplitMix { get; } = new("splitmix");

    /// <summary>Adds the sampler and the noise source to the options of an atelier.</summary>
    public static AtelierOptions Register(AtelierOptions options) => options with
    {
        Samplers = [new SamplerRegistration(Ralston, "Ralston", settings => new RalstonSampler(settings.Schedule))],
        NoiseSources = [new NoiseSourceRegistration(SplitMix, seed =>
        {
            var noise = new SplitMixNoise(seed);
            return new PictureNoise(noise, noise);
        })],
    };
}
