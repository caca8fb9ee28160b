using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// Keeps a part of an existing picture: after each step, the latents outside of the mask are replaced by the picture's, with the initial
/// noise at the level of the next step (diffusers pipeline_stable_diffusion_xl_inpaint.py, for a UNet that reads latents alone).
/// </summary>
/// <param name="weights">[4, h, w] fp32, 1 where the picture is painted and 0 where it is kept.</param>
/// <param name="kept">[4, h, w] fp32, the existing picture's latents in the scale of the UNet.</param>
internal sealed class LatentMask(ReadOnlyMemory<float> weights, ReadOnlyMemory<float> kept)
{
    /// <summary>Blends the latents after a step. Does nothing between two evaluations of the same step.</summary>
    /// <param name="latents">The latents; overwritten.</param>
    /// <param name="noise">The initial noise, as long as <paramref name="latents"/>; borrowed.</param>
    /// <param name="scratch">Scratch memory, as long as <paramref name="latents"/>.</param>
    /// <param name="evaluation">The evaluation that has just advanced the latents.</param>
    /// <param name="evaluations">All evaluations.</param>
    public void Blend(
        Span<float> latents,
        ReadOnlySpan<float> noise,
        Span<float> scratch,
        in Evaluation evaluation,
        ReadOnlySpan<Evaluation> evaluations)
    {
        bool isLast = evaluation.Index == evaluations.Length - 1;
        if (!isLast && evaluations[evaluation.Index + 1].Step == evaluation.Step) return;
        float sigma = isLast ? 0 : evaluations[evaluation.Index + 1].Sigma;
        // latents = kept + weights * (latents - kept), where kept carries the noise of the next step.
        TensorPrimitives.MultiplyAdd(noise, sigma, kept.Span, scratch);
        TensorPrimitives.Subtract(latents, scratch, latents);
        TensorPrimitives.MultiplyAdd(latents, weights.Span, scratch, latents);
    }
}
