namespace MuseAtelier.Diffusion;

/// <summary>A stream of standard normal numbers.</summary>
internal interface INoiseSource
{
    /// <summary>Fills with the next numbers of the stream; allocates nothing.</summary>
    void Fill(Span<float> destination);
}

/// <summary>Makes the streams that a seed means under each program's rules.</summary>
internal static class NoiseSources
{
    public static (INoiseSource Start, INoiseSource Steps) Create(NoiseSource source, ulong seed)
    {
        switch (source)
        {
            case NoiseSource.Diffusers:
                var torch = new TorchCpuNoise(seed);
                return (torch, torch);
            default:
                throw new ArgumentOutOfRangeException(nameof(source), source, null);
        }
    }
}
