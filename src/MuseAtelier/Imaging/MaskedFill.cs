namespace MuseAtelier.Imaging;

/// <summary>
/// Fills the masked part of a picture with the colours around it (AUTOMATIC1111, modules/masking.py, fill): the rest of the picture is
/// blurred with several radii, and the sharper versions are laid over the softer ones. The arithmetic is Pillow's.
/// </summary>
internal static class MaskedFill
{
    private const int Channels = 3;
    private const int LayerChannels = 4;
    private const int Alpha = 3;

    // Radii of the blurs, and how often each is laid over the picture.
    private static readonly (int Radius, int Times)[] Layers = [(256, 1), (64, 1), (16, 2), (4, 4), (2, 2), (0, 1)];

    /// <summary>Fills the masked part.</summary>
    /// <param name="pixels">[height, width, 3].</param>
    /// <param name="mask">[height, width]; 255 is filled.</param>
    /// <param name="width">Width in px.</param>
    /// <param name="height">Height in px.</param>
    /// <returns>[height, width, 3]; black where the whole picture is masked.</returns>
    public static byte[] Fill(ReadOnlySpan<byte> pixels, ReadOnlySpan<byte> mask, int width, int height)
    {
        byte[] kept = KeptPart(pixels, mask);
        byte[] canvas = new byte[kept.Length];
        foreach ((int radius, int times) in Layers)
        {
            byte[] layer = BoxBlur.Gaussian(kept, width, height, radius);
            Straighten(layer);
            for (int time = 0; time < times; time++) LayOver(canvas, layer);
        }

        byte[] filled = new byte[pixels.Length];
        for (int from = 0, to = 0; to < filled.Length; from += LayerChannels, to += Channels)
            canvas.AsSpan(from, Channels).CopyTo(filled.AsSpan(to));
        return filled;
    }

    // [height, width, 4] with colours multiplied by the opacity (src/libImaging/Paste.c, paste_mask_L, onto an empty picture).
    private static byte[] KeptPart(ReadOnlySpan<byte> pixels, ReadOnlySpan<byte> mask)
    {
        byte[] kept = new byte[mask.Length * LayerChannels];
        for (int at = 0; at < mask.Length; at++)
        {
            int opacity = byte.MaxValue - mask[at];
            Span<byte> to = kept.AsSpan(at * LayerChannels, LayerChannels);
            for (int channel = 0; channel < Channels; channel++) to[channel] = (byte)By255(pixels[at * Channels + channel] * opacity + 128);
            to[Alpha] = (byte)opacity;
        }

        return kept;
    }

    // Divides the colours by the opacity (src/libImaging/Convert.c, rgba2rgbA).
    private static void Straighten(byte[] layer)
    {
        for (int at = 0; at < layer.Length; at += LayerChannels)
        {
            int opacity = layer[at + Alpha];
            if (opacity is 0 or byte.MaxValue) continue;
            for (int channel = at; channel < at + Channels; channel++)
                layer[channel] = (byte)Math.Min(byte.MaxValue, byte.MaxValue * layer[channel] / opacity);
        }
    }

    // src/libImaging/AlphaComposite.c, with seven more bits for the weights.
    private static void LayOver(byte[] canvas, byte[] layer)
    {
        const int bits = 7;
        for (int at = 0; at < layer.Length; at += LayerChannels)
        {
            int over = layer[at + Alpha];
            if (over == 0) continue;
            int opacity = over * byte.MaxValue + canvas[at + Alpha] * (byte.MaxValue - over);
            int weight = (int)((uint)over * byte.MaxValue * byte.MaxValue * (1 << bits) / (uint)opacity);
            int rest = byte.MaxValue * (1 << bits) - weight;
            for (int channel = at; channel < at + Channels; channel++)
                canvas[channel] = (byte)(By255(layer[channel] * weight + canvas[channel] * rest + (128 << bits)) >> bits);
            canvas[at + Alpha] = (byte)By255(opacity + 128);
        }
    }

    private static int By255(int value) => ((value >> 8) + value) >> 8;
}
