using MuseAtelier.Sampling;

namespace MuseAtelier.Samples.CustomSampler;

/// <summary>
/// Normal numbers by the transform of Box and Muller from the generator SplitMix64 (Steele, Lea and Flood, 2014).
/// </summary>
/// <param name="seed">The seed; all 64 bits count.</param>
public sealed class SplitMixNoise(ulong seed) : INoiseGenerator
{
    private ulong _state = seed;

    /// <inheritdoc/>
    public void Fill(Span<float> destination)
    {
        for (int i = 0; i < destination.Length; i++)
        {
            double radius = Math.Sqrt(-2 * Math.Log(NextUniform()));
            destination[i] = (float)(radius * Math.Cos(2 * Math.PI * NextUniform()));
        }
    }

    // Above 0 and at most 1.
    private double NextUniform()
    {
        _state += 0x9E3779B97F4A7C15;
        ulong mixed = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return (((mixed ^ (mixed >> 31)) >> 11) + 1) * (1.0 / (1UL << 53));
    }
}
