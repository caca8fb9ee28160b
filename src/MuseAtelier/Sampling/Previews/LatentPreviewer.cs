namespace MuseAtelier.Sampling;

/// <summary>
/// Turns latents into a rough picture by a linear map of their four channels. With the map of another VAE the shapes still show, though in
/// other colours.
/// </summary>
internal static class LatentPreviewer
{
    /// <summary>Channels of latents.</summary>
    public const int Channels = 4;

    /// <summary>Paints the picture. Allocates nothing.</summary>
    /// <param name="latents">[4, h, w] fp32, scaled as the UNet sees clean latents, best denoised; borrowed.</param>
    /// <param name="width">w.</param>
    /// <param name="pixels">[h, w, 3] interleaved RGB, 8 bits a channel; rows begin <paramref name="stride"/> bytes apart.</param>
    /// <param name="stride">Bytes from a row to the next, at least 3 w.</param>
    /// <param name="colours">The map; null for SDXL's.</param>
    public static void Paint(ReadOnlySpan<float> latents, int width, Span<byte> pixels, int stride, LatentColours? colours = null)
    {
        float[] factors = (colours ?? LatentColours.Sdxl).Factors;
        int area = latents.Length / Channels;
        int height = area / width;
        if (latents.Length != Channels * height * width)
            throw new ArgumentException("There are four latent channels of whole rows.", nameof(latents));
        ReadOnlySpan<float> c0 = latents[..area];
        ReadOnlySpan<float> c1 = latents.Slice(area, area);
        ReadOnlySpan<float> c2 = latents.Slice(2 * area, area);
        ReadOnlySpan<float> c3 = latents[(3 * area)..];
        for (int y = 0; y < height; y++)
        {
            Span<byte> row = pixels.Slice(y * stride, 3 * width);
            for (int colour = 0; colour < 3; colour++)
            {
                ReadOnlySpan<float> f = factors.AsSpan(colour * (Channels + 1), Channels + 1);
                (float f0, float f1, float f2, float f3, float f4) = (f[0], f[1], f[2], f[3], f[4]);
                for (int x = 0; x < width; x++)
                {
                    int i = y * width + x;
                    float value = f0 * c0[i] + f1 * c1[i] + f2 * c2[i] + f3 * c3[i] + f4;
                    // Conversion saturates, and takes what is not a number for 0.
                    row[3 * x + colour] = (byte)Math.Clamp((int)(value + 0.5f), 0, 255);
                }
            }
        }
    }
}
