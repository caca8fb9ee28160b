namespace MuseAtelier.Imaging;

/// <summary>Makes the mask of the latents of a mask of the pixels, as each program does.</summary>
internal static class LatentMasks
{
    /// <summary>Pixels of a latent's side.</summary>
    public const int Scale = 8;

    /// <summary>The least value of a mask that counts as masked where a mask is binary: 0.5 of 255, rounded up.</summary>
    public const byte Threshold = 128;

    /// <summary>Makes the mask of the latents.</summary>
    /// <param name="mask">[height, width]; 255 is painted anew.</param>
    /// <param name="width">Width in px, a multiple of 8.</param>
    /// <param name="height">Height in px, a multiple of 8.</param>
    /// <param name="dialect">The program whose rule is followed.</param>
    /// <returns>[height/8, width/8]; 1 is painted anew, 0 is kept.</returns>
    public static float[] Of(ReadOnlySpan<byte> mask, int width, int height, SamplingDialect dialect) => dialect switch
    {
        SamplingDialect.A1111 => Resized(mask, width, height),
        SamplingDialect.Comfy => Interpolated(mask, width, height),
        _ => FirstPixels(mask, width, height),
    };

    // diffusers: image_processor.py, binarize, and pipeline_stable_diffusion_xl_inpaint.py, prepare_mask_latents, whose interpolation takes
    // the nearest pixel, which is the first one.
    private static float[] FirstPixels(ReadOnlySpan<byte> mask, int width, int height)
    {
        float[] result = new float[width / Scale * (height / Scale)];
        int at = 0;
        for (int y = 0; y < height; y += Scale)
            for (int x = 0; x < width; x += Scale) result[at++] = mask[y * width + x] >= Threshold ? 1 : 0;
        return result;
    }

    // AUTOMATIC1111: modules/processing.py, StableDiffusionProcessingImg2Img.init; Pillow's default filter is the bicubic one.
    private static float[] Resized(ReadOnlySpan<byte> mask, int width, int height)
    {
        byte[] small = new byte[width / Scale * (height / Scale)];
        Resampler.Resize(mask, 1, width, height, small, width / Scale, height / Scale, ResampleFilter.Bicubic);
        return Array.ConvertAll(small, value => value >= Threshold ? 1f : 0);
    }

    // ComfyUI: comfy/utils.py, reshape_mask: bilinear without antialiasing, whose place is the corner between the four middle pixels.
    private static float[] Interpolated(ReadOnlySpan<byte> mask, int width, int height)
    {
        float[] result = new float[width / Scale * (height / Scale)];
        int at = 0;
        for (int y = Scale / 2 - 1; y < height; y += Scale)
        {
            for (int x = Scale / 2 - 1; x < width; x += Scale)
            {
                int upper = mask[y * width + x] + mask[y * width + x + 1];
                int lower = mask[(y + 1) * width + x] + mask[(y + 1) * width + x + 1];
                result[at++] = (upper + lower) / (4f * byte.MaxValue);
            }
        }

        return result;
    }
}
