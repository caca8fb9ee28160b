using System.Numerics;

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
            int first = y * width;
            for (int colour = 0; colour < 3; colour++)
            {
                ReadOnlySpan<float> f = factors.AsSpan(colour * (Channels + 1), Channels + 1);
                PaintColour(
                    f, c0.Slice(first, width), c1.Slice(first, width), c2.Slice(first, width), c3.Slice(first, width), row[colour..]);
            }
        }
    }

    // The card waits meanwhile, so the sums are vectorized. Bytes of a colour are three apart.
    private static void PaintColour(
        ReadOnlySpan<float> f,
        ReadOnlySpan<float> c0,
        ReadOnlySpan<float> c1,
        ReadOnlySpan<float> c2,
        ReadOnlySpan<float> c3,
        Span<byte> colours)
    {
        (float f0, float f1, float f2, float f3, float f4) = (f[0], f[1], f[2], f[3], f[4]);
        Span<int> levels = stackalloc int[Vector<int>.Count];
        int x = 0;
        for (; x <= c0.Length - levels.Length; x += levels.Length)
        {
            Vector<float> value = f0 * new Vector<float>(c0[x..]) + f1 * new Vector<float>(c1[x..]) + f2 * new Vector<float>(c2[x..])
                + f3 * new Vector<float>(c3[x..]) + new Vector<float>(f4);
            // Conversion saturates, and takes what is not a number for 0.
            Vector<int> level = Vector.ConvertToInt32(value + new Vector<float>(0.5f));
            Vector.Clamp(level, Vector<int>.Zero, new Vector<int>(255)).CopyTo(levels);
            for (int lane = 0; lane < levels.Length; lane++) colours[3 * (x + lane)] = (byte)levels[lane];
        }

        for (; x < c0.Length; x++)
        {
            float value = f0 * c0[x] + f1 * c1[x] + f2 * c2[x] + f3 * c3[x] + f4;
            colours[3 * x] = (byte)Math.Clamp((int)(value + 0.5f), 0, 255);
        }
    }
}
