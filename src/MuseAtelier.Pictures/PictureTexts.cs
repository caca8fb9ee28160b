using System.Globalization;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures;

/// <summary>
/// The texts by which programs say how they made a picture: whose a file's text is, and what it asks for. Known are those of
/// AUTOMATIC1111 and all that write in its form, ComfyUI, SwarmUI, Fooocus, InvokeAI, NovelAI, Draw Things, Stability Matrix, Easy
/// Diffusion and Midjourney.
/// </summary>
public static class PictureTexts
{
    // What can be painted: multiples of 8 from 256 to 2048 a side.
    private const int SizeMultiple = 8, SmallestSide = 256, LargestSide = 2048;

    /// <summary>Finds the text of the program that made a picture; null where the file carries none that is known.</summary>
    /// <param name="content">What the file says of itself.</param>
    public static PictureText? Find(PictureFileContent content)
    {
        ArgumentNullException.ThrowIfNull(content);
        return new TextFinder(content).Find()?.Text;
    }

    /// <summary>
    /// Reads what the text of the program that made a picture asks for: what cannot be painted here is named, not guessed. A text without
    /// a size is taken to mean the picture's own.
    /// </summary>
    /// <param name="content">What the file says of itself.</param>
    /// <exception cref="PictureRecordMissingException">The file carries no text.</exception>
    /// <exception cref="ParametersTextException">
    /// It has the form of AUTOMATIC1111's text, and a setting cannot be read; or no form that is known.
    /// </exception>
    /// <exception cref="PictureTextUnpaintableException">It is of a program whose text can only be shown.</exception>
    /// <exception cref="PictureTextTooLongException">It is longer than any that is read.</exception>
    public static ParsedParameters Parse(PictureFileContent content)
    {
        ArgumentNullException.ThrowIfNull(content);
        if (new TextFinder(content).Find() is not { } found)
        {
            // Says what is wrong with it.
            return ParametersText.Parse(content.Path, content.Parameters ?? throw new PictureRecordMissingException(content.Path));
        }

        if (found.Read is not { } read)
            throw new PictureTextUnpaintableException(content.Path, found.Text.Program,
                "it does not name the settings in a form that is read here");
        ParsedParameters parsed = read();
        return parsed.HasSize ? parsed : WithSizeOf(content, parsed);
    }

    private static ParsedParameters WithSizeOf(PictureFileContent content, ParsedParameters parsed)
    {
        (int ownWidth, int ownHeight) = WithoutFrame(content.Width, content.Height, parsed.Request.Frame);
        (int width, int height) = Nearest(ownWidth, ownHeight);
        string notice = (width, height) == (ownWidth, ownHeight)
            ? Say($"The text names no size; the picture's own, {width}x{height} px, stands for it.")
            : Say($"No size is named; the picture's own, {ownWidth}x{ownHeight} px, cannot be painted; {width}x{height} px stands for it.");
        return parsed with { Request = parsed.Request with { Width = width, Height = height }, Notices = [.. parsed.Notices, notice] };
    }

    // A frame around the picture is as wide as the picture within asks for.
    private static (int Width, int Height) WithoutFrame(int width, int height, PictureFrame? frame)
    {
        if (frame is not { Placement: FramePlacement.Outside }) return (width, height);
        for (int side = 16; 2 * side < Math.Min(width, height) && side <= LargestSide; side += 2)
            if (frame.CanvasOf(width - 2 * side, height - 2 * side) == (width, height)) return (width - 2 * side, height - 2 * side);
        return (width, height);
    }

    // Of the same shape where there is such a size, else as near to it as sides may be.
    private static (int Width, int Height) Nearest(int width, int height)
    {
        double longer = Math.Max(1, Math.Max(width, height)), shorter = Math.Max(1, Math.Min(width, height));
        double scale = longer > LargestSide ? LargestSide / longer : shorter < SmallestSide ? SmallestSide / shorter : 1;
        return (Side(width * scale), Side(height * scale));
    }

    private static int Side(double side) => (int)Math.Clamp(Math.Round(side / SizeMultiple) * SizeMultiple, SmallestSide, LargestSide);

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
