namespace MuseAtelier.Diffusion;

/// <summary>The streams that a picture draws from.</summary>
/// <param name="Start">Gives the initial latents' noise, in one draw.</param>
/// <param name="Steps">Gives each step's noise, one draw a step; may be the same stream as <paramref name="Start"/>.</param>
internal sealed record NoiseStreams(INoiseSource Start, INoiseSource Steps)
{
    /// <summary>Creates the streams of one picture.</summary>
    public static NoiseStreams Create(NoiseSource source, ulong seed)
    {
        switch (source)
        {
            case NoiseSource.Diffusers:
                var torch = new TorchCpuNoise(seed);
                return new NoiseStreams(torch, torch);
            case NoiseSource.A1111:
                var philox = new PhiloxNoise(seed);
                return new NoiseStreams(philox, philox);
            case NoiseSource.Comfy:
                return new NoiseStreams(new TorchCpuNoise(seed), new PhiloxNoise(seed));
            default:
                throw new ArgumentOutOfRangeException(nameof(source), source, null);
        }
    }
}
