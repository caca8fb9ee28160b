using System.Globalization;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures;

/// <summary>
/// Reads the texts in which other programs record how they made a picture: those of AUTOMATIC1111 and all programs that write its form,
/// ComfyUI, SwarmUI, Fooocus, InvokeAI, NovelAI, Draw Things, Stability Matrix, Easy Diffusion and Midjourney.
/// </summary>
public static class PictureTexts
{
    // The sizes that can be painted: multiples of 8 from 256 to 4096 a side.
    private const int SizeMultiple = 8;
    private const int SmallestSide = 256;
    private const int LargestSide = 4096;

    /// <summary>Finds the text of the program that made a picture; null if the file has no known text.</summary>
    /// <param name="content">The file's metadata.</param>
    public static PictureText? Find(PictureFileContent content)
    {
        ArgumentNullException.ThrowIfNull(content);
        return new TextFinder(content).Find()?.Text;
    }

    /// <summary>
    /// Reads the text of the program that made a picture. Settings that cannot be painted here are named, never guessed. A text without a
    /// size gets the size of the picture.
    /// </summary>
    /// <param name="content">The file's metadata.</param>
    /// <exception cref="PictureRecordMissingException">The file has no text.</exception>
    /// <exception cref="ParametersTextException">
    /// A setting of AUTOMATIC1111's text cannot be read, or the text has no known form.
    /// </exception>
    /// <exception cref="PictureTextUnpaintableException">The text can only be shown.</exception>
    /// <exception cref="PictureTextTooLongException">The text is too long.</exception>
    public static ParsedParameters Parse(PictureFileContent content)
    {
        ArgumentNullException.ThrowIfNull(content);
        if (new TextFinder(content).Find() is not { } found)
        {
            // The parser throws the exception that describes the fault.
            return ParametersText.Parse(content.Path, content.Parameters ?? throw new PictureRecordMissingException(content.Path));
        }

        if (found.Read is not { } read)
            throw new PictureTextUnpaintableException(content.Path, found.Text.Program,
                "its settings are in a form that cannot be read");
        ParsedParameters parsed = read();
        return parsed.HasSize ? parsed : WithSizeOf(content, parsed);
    }

    private static ParsedParameters WithSizeOf(PictureFileContent content, ParsedParameters parsed)
    {
        (int ownWidth, int ownHeight) = WithoutFrame(content.Width, content.Height, parsed.Request.Frame);
        (int width, int height) = Nearest(ownWidth, ownHeight);
        string notice = (width, height) == (ownWidth, ownHeight)
            ? Say($"The text names no size; the picture's own, {width}x{height} px, is used.")
            : Say($"The text names no size; {width}x{height} px is used, because {ownWidth}x{ownHeight} px cannot be painted.");
        return parsed with { Request = parsed.Request with { Width = width, Height = height }, Notices = [.. parsed.Notices, notice] };
    }

    // The width of a frame around the picture depends on the size of the picture within, so possible widths are tried.
    private static (int Width, int Height) WithoutFrame(int width, int height, PictureFrame? frame)
    {
        if (frame is not { Placement: FramePlacement.Outside }) return (width, height);
        for (int side = 16; 2 * side < Math.Min(width, height) && side <= LargestSide; side += 2)
            if (frame.CanvasOf(width - 2 * side, height - 2 * side) == (width, height)) return (width - 2 * side, height - 2 * side);
        return (width, height);
    }

    // The nearest size of the same shape if there is one, else the nearest size of all.
    private static (int Width, int Height) Nearest(int width, int height)
    {
        double longer = Math.Max(1, Math.Max(width, height));
        double shorter = Math.Max(1, Math.Min(width, height));
        double scale = longer > LargestSide ? LargestSide / longer : shorter < SmallestSide ? SmallestSide / shorter : 1;
        return (Side(width * scale), Side(height * scale));
    }

    private static int Side(double side) => (int)Math.Clamp(Math.Round(side / SizeMultiple) * SizeMultiple, SmallestSide, LargestSide);

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
