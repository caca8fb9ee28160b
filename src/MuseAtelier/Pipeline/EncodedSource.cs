using MuseAtelier.Imaging;
using MuseAtelier.Sampling;

namespace MuseAtelier.Pipeline;

/// <summary>What a series is painted from beside its prompts: prepared and encoded once for all of its pictures.</summary>
/// <param name="Prepared">
/// The source at the size at which is painted; null for latents that are given, and for an inpainting model that paints without a source.
/// </param>
/// <param name="Picture">The source's latents; null if denoising does not read them.</param>
/// <param name="MaskedPicture">The latents of what an inpainting model sees of the source; null for other models.</param>
internal sealed record EncodedSource(PreparedSource? Prepared, LatentDistribution? Picture, LatentDistribution? MaskedPicture)
{
    private const int LatentChannels = 4;

    /// <summary>Whether a part of the source is kept.</summary>
    public bool HasMask => Prepared is { LatentMask.IsEmpty: false };

    /// <summary>Whether what was decoded is put into the source's own pixels.</summary>
    public bool PastesBack => Prepared is { Original.IsEmpty: false };

    /// <summary>
    /// Whether denoising begins with noise alone although there is a source: diffusers' inpainting at strength 1
    /// (pipeline_stable_diffusion_xl_inpaint.py, is_strength_max).
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="hasMask">Whether a part of the source is kept.</param>
    public static bool BeginsWithNoise(PictureRequest request, bool hasMask) =>
        request.Source is not { } source || (hasMask && source.Strength >= 1 && request.Dialect == SamplingDialect.Diffusers);

    /// <summary>What the denoising loop needs of it.</summary>
    /// <param name="request">The request.</param>
    /// <param name="latents">The numbers of a picture's latents.</param>
    public DenoisingInputs InputsOf(PictureRequest request, int latents)
    {
        bool isInpaintingModel = MaskedPicture is not null;
        InitialLatents start = Picture is null
            ? InitialLatents.Noise
            : InitialLatents.Encoded(Picture, Prepared is not null && BeginsWithNoise(request, HasMask));
        LatentMask? mask = null;
        if (HasMask && Picture is not null)
        {
            MaskedContent content = request.Source?.Mask?.Content ?? MaskedContent.Original;
            mask = new LatentMask(Repeated(latents), LatentMask.BlendingOf(request.Dialect, isInpaintingModel), content);
        }

        return new DenoisingInputs(start, mask, isInpaintingModel ? MaskChannel(latents) : default)
        {
            MaskedPicture = MaskedPicture,
            DrawsForMaskedPicture = HasMask && request.Dialect == SamplingDialect.Diffusers,
        };
    }

    // The mask that an inpainting model reads is 0 or 1 everywhere (ComfyUI, comfy/model_base.py, concat_cond; AUTOMATIC1111,
    // modules/processing.py, inpainting_image_conditioning), and 1 where there is none.
    private float[] MaskChannel(int latents)
    {
        float[] mask = new float[latents / LatentChannels];
        mask.AsSpan().Fill(1);
        if (HasMask)
            for (int i = 0; i < mask.Length; i++) mask[i] = MathF.Round(Prepared!.LatentMask.Span[i]);
        return mask;
    }

    private float[] Repeated(int latents)
    {
        float[] weights = new float[latents];
        ReadOnlySpan<float> mask = Prepared!.LatentMask.Span;
        for (int start = 0; start < latents; start += mask.Length) mask.CopyTo(weights.AsSpan(start));
        return weights;
    }
}
