using Spectre.Console;
using Spectre.Console.Rendering;

namespace MuseAtelier.Cli.Display;

/// <summary>
/// A small picture in a terminal. Each character shows two pixels: the upper one as an upper half block, the lower one as its background.
/// </summary>
internal sealed class TerminalPicture : Renderable
{
    private const int LinesForText = 4;
    private const int LargestWidth = 96;

    private readonly Color[] _colors;
    private readonly int _width;
    private readonly int _height;

    private TerminalPicture(int width, int height, Color[] colors) => (_width, _height, _colors) = (width, height, colors);

    /// <summary>Scales a picture down to the terminal's size by averaging pixels.</summary>
    /// <param name="console">The terminal.</param>
    /// <param name="width">Width in px.</param>
    /// <param name="height">Height in px.</param>
    /// <param name="pixels">[height, width, 3] RGB; borrowed.</param>
    public static TerminalPicture Fit(IAnsiConsole console, int width, int height, ReadOnlySpan<byte> pixels)
    {
        int columns = Math.Clamp(console.Profile.Width - 1, 1, LargestWidth);
        int rows = Math.Max(1, console.Profile.Height - LinesForText) * 2;
        double scale = Math.Min(1, Math.Min((double)columns / width, (double)rows / height));
        int w = Math.Max(1, (int)(width * scale));
        int h = Math.Max(2, (int)(height * scale) / 2 * 2);
        var colors = new Color[w * h];
        for (int y = 0; y < h; y++)
        {
            (int top, int bottom) = Span(y, h, height);
            for (int x = 0; x < w; x++)
            {
                (int left, int right) = Span(x, w, width);
                colors[y * w + x] = Average(pixels, width, left, right, top, bottom);
            }
        }

        return new TerminalPicture(w, h, colors);
    }

    // The source pixels, at least one, of a scaled pixel along one axis.
    private static (int Start, int End) Span(int index, int scaled, int source)
    {
        int start = index * source / scaled;
        return (start, Math.Max((index + 1) * source / scaled, start + 1));
    }

    protected override Measurement Measure(RenderOptions options, int maxWidth) => new(_width, _width);

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        for (int y = 0; y < _height; y += 2)
        {
            for (int x = 0; x < Math.Min(_width, maxWidth); x++)
            {
                Color upper = _colors[y * _width + x];
                Color lower = _colors[(y + 1) * _width + x];
                yield return new Segment("▀", new Style(upper, lower));
            }
            yield return Segment.LineBreak;
        }
    }

    private static Color Average(ReadOnlySpan<byte> pixels, int stride, int left, int right, int top, int bottom)
    {
        int red = 0;
        int green = 0;
        int blue = 0;
        int count = (right - left) * (bottom - top);
        for (int y = top; y < bottom; y++)
        {
            for (int x = left; x < right; x++)
            {
                int at = (y * stride + x) * 3;
                red += pixels[at];
                green += pixels[at + 1];
                blue += pixels[at + 2];
            }
        }

        return new Color((byte)(red / count), (byte)(green / count), (byte)(blue / count));
    }
}
