using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// Rescales a guided prediction towards the standard deviation of the prompt's own (Lin et al., 2024, "Common Diffusion Noise Schedules
/// and Sample Steps are Flawed", section 3.4): g becomes (share * std(c) / std(g) + 1 - share) * g. With the dialect of diffusers, c and g
/// are the UNet's outputs (pipeline_stable_diffusion_xl.py, rescale_noise_cfg); with the others, the velocities that they amount to
/// (ComfyUI, comfy_extras/nodes_model_advanced.py, RescaleCFG). Allocates nothing.
/// </summary>
/// <remarks>
/// The prompt's own prediction c is taken from the guided one and the negative prompt's, c = u + (g - u) / scale, so that the guided
/// prediction may be combined from several parts of a prompt.
/// </remarks>
internal sealed class GuidanceRescale
{
    private readonly float _share;
    private readonly double _scale;
    private readonly bool _isOnVelocity;

    private GuidanceRescale(PictureRequest request)
    {
        _share = request.GuidanceRescale;
        _scale = request.GuidanceScale;
        _isOnVelocity = request.Dialect != SamplingDialect.Diffusers;
    }

    /// <summary>The rescaling of a request; null if it has none, or no guidance.</summary>
    public static GuidanceRescale? Of(PictureRequest request) =>
        request.IsGuided && request.GuidanceRescale > 0 ? new GuidanceRescale(request) : null;

    /// <summary>Rescales the guided output of every picture of a batch, in place.</summary>
    /// <param name="batch">The batch, whose outputs are guided already and whose rows for the negative prompt are unchanged.</param>
    /// <param name="prediction">The quantity that the UNet predicts.</param>
    /// <param name="sigma">The noise level.</param>
    public void Apply(LatentBatch batch, Prediction prediction, float sigma)
    {
        DenoisedMap map = prediction.MapAt(sigma);
        for (int i = 0; i < batch.Pictures; i++) Apply(batch.Latents(i), batch.UnconditionalOutput(i), batch.Output(i), sigma, map);
    }

    /// <summary>Rescales one guided prediction.</summary>
    /// <param name="latents">The latents at the noise level; borrowed.</param>
    /// <param name="unconditional">The prediction for the negative prompt, as long as <paramref name="latents"/>; borrowed.</param>
    /// <param name="guided">The guided prediction, as long as <paramref name="latents"/>; receives the result.</param>
    /// <param name="sigma">The noise level.</param>
    /// <param name="map">The map from the UNet's output to the clean latents.</param>
    public void Apply(ReadOnlySpan<float> latents, ReadOnlySpan<float> unconditional, Span<float> guided, float sigma, DenoisedMap map)
    {
        // The velocity is v = (x / (s^2 + 1) - D) * sqrt(s^2 + 1) / s. Its standard deviations have the ratio of those of v / q, which is
        // the output F plus the latents times p / q.
        double perOutput = _isOnVelocity ? (map.Latents - 1 / ((double)sigma * sigma + 1)) / map.Output : 0;
        (double ofPrompt, double ofGuided) = Deviations(latents, unconditional, guided, perOutput);
        if (!(ofGuided > 0)) return;
        double factor = _share * (ofPrompt / ofGuided) + 1 - _share;
        TensorPrimitives.Multiply(guided, (float)factor, guided);
        if (_isOnVelocity) TensorPrimitives.MultiplyAdd(latents, (float)((factor - 1) * perOutput), guided, guided);
    }

    // Standard deviations over all channels, up to a common factor.
    private (double OfPrompt, double OfGuided) Deviations(
        ReadOnlySpan<float> latents, ReadOnlySpan<float> unconditional, ReadOnlySpan<float> guided, double perOutput)
    {
        double promptSum = 0;
        double guidedSum = 0;
        for (int i = 0; i < guided.Length; i++)
        {
            double shift = perOutput * latents[i];
            promptSum += PromptOf(unconditional[i], guided[i]) + shift;
            guidedSum += guided[i] + shift;
        }

        double promptMean = promptSum / guided.Length;
        double guidedMean = guidedSum / guided.Length;
        double promptSquares = 0;
        double guidedSquares = 0;
        for (int i = 0; i < guided.Length; i++)
        {
            double shift = perOutput * latents[i];
            double prompt = PromptOf(unconditional[i], guided[i]) + shift - promptMean;
            double whole = guided[i] + shift - guidedMean;
            promptSquares += prompt * prompt;
            guidedSquares += whole * whole;
        }

        return (Math.Sqrt(promptSquares), Math.Sqrt(guidedSquares));
    }

    private double PromptOf(double unconditional, double guided) => unconditional + (guided - unconditional) / _scale;
}
