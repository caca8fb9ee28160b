using MuseAtelier.Imaging;
using MuseAtelier.Pictures;

namespace MuseAtelier.Cli;

/// <summary>Collects the pictures of a series, made small, for a contact sheet.</summary>
internal sealed class SeriesSheet
{
    // A sheet shows no picture larger, and the pictures of a series need not all be in memory.
    private const int LongestSide = 512;
    private const int Channels = 3;

    private readonly List<ContactSheetCell> _cells = [];

    /// <summary>Adds a picture.</summary>
    /// <param name="picture">The picture, which may be disposed afterwards.</param>
    /// <param name="label">The text below it.</param>
    /// <param name="path">Path of its file.</param>
    public void Add(Picture picture, string label, string path)
    {
        double scale = Math.Min(1, (double)LongestSide / Math.Max(picture.Width, picture.Height));
        int width = Math.Max(1, (int)Math.Round(picture.Width * scale));
        int height = Math.Max(1, (int)Math.Round(picture.Height * scale));
        byte[] pixels = new byte[width * height * Channels];
        if (scale < 1)
            Resampler.Resize(picture.Pixels.Span, Channels, picture.Width, picture.Height, pixels, width, height, ResampleFilter.Lanczos);
        else
            picture.Pixels.Span.CopyTo(pixels);
        _cells.Add(new ContactSheetCell(width, height, pixels, label) { Name = Path.GetFileName(path) });
    }

    /// <summary>The sheet of all pictures that were added.</summary>
    /// <param name="columns">The pictures of a row.</param>
    public ContactSheet Compose(int columns) => ContactSheet.Compose(_cells, columns);
}
