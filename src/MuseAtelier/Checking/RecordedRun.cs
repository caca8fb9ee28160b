using MuseAtelier.Sampling;

namespace MuseAtelier.Checking;

/// <summary>Runs a sampler with a made-up model and with noise from a file, as the denoising loop runs it with a real one.</summary>
/// <param name="sampler">The sampler.</param>
/// <param name="latents">The initial latents; overwritten.</param>
/// <param name="drawn">The noise, in the order in which it is drawn.</param>
internal sealed class RecordedRun(Sampler sampler, float[] latents, float[] drawn)
{
    private readonly float[] _denoised = new float[latents.Length];
    private readonly float[] _epsilon = new float[latents.Length];
    private readonly float[] _history = new float[sampler.History * latents.Length];
    private int _next;

    /// <summary>Computes the denoised latents and the noise from the latents at an evaluation.</summary>
    public delegate void Model(Evaluation evaluation, ReadOnlySpan<float> latents, Span<float> denoised, Span<float> epsilon);

    /// <summary>The latents.</summary>
    public ReadOnlySpan<float> Latents => latents;

    /// <summary>Runs an evaluation and advances the latents.</summary>
    /// <returns>False if the noise is used up.</returns>
    public bool Advance(in Evaluation evaluation, Model model)
    {
        int length = evaluation.NoiseDraws * latents.Length;
        if (length > drawn.Length - _next) return false;
        model(evaluation, latents, _denoised, _epsilon);
        sampler.Advance(evaluation, new SamplerState(latents, _denoised, _epsilon, drawn.AsSpan(_next, length), _history));
        _next += length;
        return true;
    }
}
