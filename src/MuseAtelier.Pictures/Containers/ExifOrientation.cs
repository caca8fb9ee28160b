namespace MuseAtelier.Pictures.Containers;

/// <summary>Turns and mirrors pixels as EXIF's orientation asks for (EXIF 2.32, tag 0x0112).</summary>
internal static class ExifOrientation
{
    /// <summary>Turns and mirrors pixels.</summary>
    /// <param name="pixels">[height, width, channels] as they are stored.</param>
    /// <param name="channels">The number of interleaved channels.</param>
    /// <param name="width">The stored width in px.</param>
    /// <param name="height">The stored height in px.</param>
    /// <param name="orientation">1 to 8. From 5 on, width and height are exchanged.</param>
    /// <returns>The upright pixels.</returns>
    public static byte[] Apply(ReadOnlySpan<byte> pixels, int channels, int width, int height, int orientation)
    {
        int last = width * height - 1;
        int lastRow = (height - 1) * width;
        // The stored pixel at the upper left of the upright picture, and the steps to its right and to its lower neighbour.
        (int first, int right, int down) = orientation switch
        {
            2 => (width - 1, -1, width),
            3 => (last, -1, -width),
            4 => (lastRow, 1, -width),
            5 => (0, width, 1),
            6 => (lastRow, -width, 1),
            7 => (last, -width, -1),
            8 => (width - 1, width, -1),
            _ => (0, 1, width),
        };
        (int newWidth, int newHeight) = orientation >= 5 ? (height, width) : (width, height);
        byte[] result = new byte[pixels.Length];
        int to = 0;
        for (int y = 0; y < newHeight; y++)
        {
            for (int x = 0, at = first + y * down; x < newWidth; x++, at += right)
            {
                for (int channel = 0; channel < channels; channel++) result[to++] = pixels[at * channels + channel];
            }
        }

        return result;
    }
}
