namespace MuseAtelier.Pictures.Containers;

/// <summary>Makes sources and masks of decoded pixels.</summary>
internal static class SourceReader
{
    private const int Channels = 3;
    private const byte Half = 128;

    // Lossy formats turn black and white into values near them.
    private const byte NearBlack = 8;
    private const byte NearWhite = 247;

    /// <summary>Reads a source.</summary>
    /// <exception cref="PictureFileException">The picture cannot be read.</exception>
    public static SourceImage Image(PictureInput input, string? name, CancellationToken cancellationToken)
    {
        SourcePixels pixels = SourceDecoder.Decode(input, cancellationToken);
        return new SourceImage(pixels.Width, pixels.Height, pixels.Colours, pixels.Opacity)
        {
            Name = name,
            Notices = Sentences("source", name, pixels.Notices),
        };
    }

    /// <summary>Reads a mask.</summary>
    /// <exception cref="PictureFileException">The picture cannot be read.</exception>
    public static MaskImage Mask(PictureInput input, string? name, CancellationToken cancellationToken)
    {
        SourcePixels pixels = SourceDecoder.Decode(input, cancellationToken);
        bool isByOpacity = pixels.Opacity.Length > 0 && HasOneColour(pixels);
        byte[] mask = isByOpacity ? pixels.Opacity : Luminance(pixels);
        if (input.Format != PictureFormat.Png) Settle(mask);
        return new MaskImage(pixels.Width, pixels.Height, mask)
        {
            Name = name,
            Notices = Sentences("mask", name, pixels.Notices),
        };
    }

    // Programs store the colour of faint pixels inexactly, so only those that are rather opaque count.
    private static bool HasOneColour(SourcePixels pixels)
    {
        ReadOnlySpan<byte> colour = [];
        for (int at = 0; at < pixels.Opacity.Length; at++)
        {
            if (pixels.Opacity[at] < Half) continue;
            ReadOnlySpan<byte> other = pixels.Colours.AsSpan(at * Channels, Channels);
            if (colour.IsEmpty) colour = other;
            else if (!colour.SequenceEqual(other)) return false;
        }

        return true;
    }

    // ITU-R BT.601 in 16 bits, as Pillow converts RGB to L (src/libImaging/Convert.c, rgb2l), on black.
    private static byte[] Luminance(SourcePixels pixels)
    {
        byte[] mask = new byte[pixels.Width * pixels.Height];
        for (int at = 0; at < mask.Length; at++)
        {
            ReadOnlySpan<byte> colour = pixels.Colours.AsSpan(at * Channels, Channels);
            int value = (colour[0] * 19595 + colour[1] * 38470 + colour[2] * 7471 + 0x8000) >> 16;
            mask[at] = (byte)(pixels.Opacity.Length == 0 ? value : (value * pixels.Opacity[at] + 127) / 255);
        }

        return mask;
    }

    private static void Settle(Span<byte> mask)
    {
        foreach (ref byte value in mask)
        {
            if (value < NearBlack) value = 0;
            else if (value > NearWhite) value = byte.MaxValue;
        }
    }

    private static string[] Sentences(string role, string? name, IReadOnlyList<string> notices)
    {
        string subject = name is null ? $"the {role}" : $"the {role} {name}";
        return [.. notices.Select(notice => $"{subject}: {notice}")];
    }
}
