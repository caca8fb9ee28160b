using Spectre.Console;
using Spectre.Console.Rendering;

namespace MuseAtelier.Cli.Display;

/// <summary>A small picture in a terminal: each character is two pixels, an upper half block over its background.</summary>
internal sealed class TerminalPicture : Renderable
{
    private const int LinesForText = 4;
    private const int LargestWidth = 96;

    private readonly Color[] _colors;
    private readonly int _width, _height;

    private TerminalPicture(int width, int height, Color[] colors) => (_width, _height, _colors) = (width, height, colors);

    /// <summary>Scales a picture down to what the terminal has room for, by averaging.</summary>
    /// <param name="console">The terminal.</param>
    /// <param name="width">Width in px.</param>
    /// <param name="height">Height in px.</param>
    /// <param name="pixels">[height, width, 3] RGB; borrowed.</param>
    public static TerminalPicture Fit(IAnsiConsole console, int width, int height, ReadOnlySpan<byte> pixels)
    {
        int columns = Math.Clamp(console.Profile.Width - 1, 1, LargestWidth), rows = Math.Max(1, console.Profile.Height - LinesForText) * 2;
        double scale = Math.Min(1, Math.Min((double)columns / width, (double)rows / height));
        int w = Math.Max(1, (int)(width * scale)), h = Math.Max(2, (int)(height * scale) / 2 * 2);
        var colors = new Color[w * h];
        for (int y = 0; y < h; y++)
        {
            for (int x = 0; x < w; x++) colors[y * w + x] = Average(pixels, width, x * width / w, Math.Max((x + 1) * width / w, x * width / w + 1), y * height / h, Math.Max((y + 1) * height / h, y * height / h + 1));
        }

        return new TerminalPicture(w, h, colors);
    }

    protected override Measurement Measure(RenderOptions options, int maxWidth) => new(_width, _width);

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        for (int y = 0; y < _height; y += 2)
        {
            for (int x = 0; x < Math.Min(_width, maxWidth); x++) yield return new Segment("▀", new Style(_colors[y * _width + x], _colors[(y + 1) * _width + x]));
            yield return Segment.LineBreak;
        }
    }

    private static Color Average(ReadOnlySpan<byte> pixels, int stride, int left, int right, int top, int bottom)
    {
        int red = 0, green = 0, blue = 0, count = (right - left) * (bottom - top);
        for (int y = top; y < bottom; y++)
        {
            for (int x = left; x < right; x++)
            {
                int at = (y * stride + x) * 3;
                (red, green, blue) = (red + pixels[at], green + pixels[at + 1], blue + pixels[at + 2]);
            }
        }

        return new Color((byte)(red / count), (byte)(green / count), (byte)(blue / count));
    }
}
