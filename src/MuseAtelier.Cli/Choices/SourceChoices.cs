using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace MuseAtelier.Cli.Choices;

/// <summary>The options that paint from an existing picture: image to image, inpainting and outpainting.</summary>
internal sealed class SourceChoices
{
    /// <summary>The value of <c>--mask</c> that means the transparent parts of the source.</summary>
    public const string Transparency = "alpha";

    private static readonly PictureSource Usual = new(new SourceImage(1, 1, new byte[3]));
    private static readonly InpaintMask UsualMask = new(new MaskImage(1, 1, new byte[1]));

    private readonly Option<string?> _from = UserPath.Option("--from");
    private readonly Option<float> _strength = Choice.Number(
        "--strength",
        "How much is painted anew, 0 to 1: 0 decodes the source again, 1 leaves nothing of it but what a mask keeps.",
        Usual.Strength);
    private readonly Option<SourceFit> _fit = Choice.Of<SourceFit>(
        "--fit",
        "How the source is brought to the picture's size: crop cuts off what is too wide or too high, pad fills up with its edges, "
            + "stretch scales the sides independently.");
    private readonly Option<PictureMargins> _extend = new("--extend")
    {
        Description = "Outpainting: extends the source before it is fitted, such as right=256 or left=128,right=128. The new margins are "
            + "painted.",
        HelpName = "SIDE=PX,...",
        CustomParser = ParseMargins,
    };
    private readonly Option<string?> _mask = UserPath.Option("--mask");
    private readonly Option<int> _blur = Choice.Whole(
        "--mask-blur", "Px by which the mask's edge is softened, 0 to 64.", UsualMask.Blur, least: 0, most: RequestRules.WidestBlur);
    private readonly Option<MaskedContent> _content = Choice.Of<MaskedContent>(
        "--mask-content",
        "What the masked part begins with: original, fill (the colours around it), noise or nothing (zeros), the last two in latents.");
    private readonly Option<int> _onlyMasked = Choice.Whole(
        "--only-masked",
        "Paints only the mask's surroundings, at the picture's size, with so many px of the source around it, 0 to 1024; the result has "
            + "the source's size. 32 is usual. [default: the whole source is painted]",
        standard: null,
        least: 0,
        most: RequestRules.WidestPadding);
    private readonly Option<Switch> _pasteBack = Choice.Of<Switch>(
        "--paste-back", "Whether the source's own pixels replace what is decoded outside of the mask.");

    public SourceChoices()
    {
        _from.Description = "The picture to paint from (PNG, JPEG, WebP), of any size. Without --width and --height, the picture has its "
            + "size, at most about 1024x1024 px.";
        _from.HelpName = "FILE";
        _mask.Description = "The mask, white where is painted anew; alpha means the transparent parts of the source.";
        _mask.HelpName = $"FILE|{Transparency}";
    }

    /// <summary>The option that names the source.</summary>
    public Option Path => _from;

    private enum Switch
    {
        On,
        Off,
    }

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="isRecorded">Whether a mask's settings may also refer to the mask of a record.</param>
    public void AddTo(Command command, bool isRecorded)
    {
        Option[] ofMask = [_blur, _content, _onlyMasked, _pasteBack];
        Option[] ofSource = [_strength, _fit, _extend, _mask, .. isRecorded ? ofMask : []];
        foreach (Option option in (Option[])[_from, _strength, _fit, _extend, _mask, .. ofMask]) command.Add(option);
        command.Validators.Add(result =>
        {
            Choice.Require(result, _from, ofSource);
            if (!isRecorded) Choice.Require(result, _mask, ofMask);
        });
    }

    /// <summary>The path of the source; null if the command line names none.</summary>
    public string? SourcePath(ParseResult result) => result.GetValue(_from);

    /// <summary>The path of the mask, or <see cref="Transparency"/>; null if the command line names none.</summary>
    public string? MaskPath(ParseResult result) => result.GetValue(_mask);

    /// <summary>The margins by which the source is extended.</summary>
    public PictureMargins MarginsOf(ParseResult result) => result.GetValue(_extend);

    /// <summary>Whether only the mask's surroundings are painted, at a size of their own.</summary>
    public bool IsOnlyMasked(ParseResult result) => Choice.IsGiven(result, _onlyMasked);

    /// <summary>A source with the changes that the command line names.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="basis">Supplies the value of every option that is not given, and the images.</param>
    public PictureSource Read(ParseResult result, PictureSource basis) => basis with
    {
        Strength = Choice.Given(result, _strength, basis.Strength),
        Fit = Choice.Given(result, _fit, basis.Fit),
        Extend = Choice.Given(result, _extend, basis.Extend),
        Mask = basis.Mask is { } mask ? Read(result, mask) : null,
    };

    private InpaintMask Read(ParseResult result, InpaintMask basis) => basis with
    {
        Blur = Choice.Given(result, _blur, basis.Blur),
        Content = Choice.Given(result, _content, basis.Content),
        OnlyMaskedPadding = Choice.IsGiven(result, _onlyMasked) ? result.GetValue(_onlyMasked) : basis.OnlyMaskedPadding,
        PasteBack = Choice.IsGiven(result, _pasteBack) ? result.GetValue(_pasteBack) == Switch.On : basis.PasteBack,
    };

    private static PictureMargins ParseMargins(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        PictureMargins margins = default;
        HashSet<string> sides = new(StringComparer.Ordinal);
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            string[] pair = part.Split('=', StringSplitOptions.TrimEntries);
            string side = pair[0].ToLowerInvariant();
            bool isWhole = int.TryParse(pair[^1], NumberStyles.None, CultureInfo.InvariantCulture, out int px);
            if (pair.Length == 2 && isWhole && px <= RequestRules.WidestMargin && sides.Add(side) && With(margins, side, px) is { } wider)
            {
                margins = wider;
                continue;
            }

            string expected =
                $"left, top, right or bottom, each once, with 0 to {RequestRules.WidestMargin} px, such as left=128,right=128";
            result.AddError(Choice.Refusal("--extend", text, expected));
            return default;
        }

        return margins;
    }

    private static PictureMargins? With(PictureMargins margins, string side, int px) => side switch
    {
        "left" => margins with { Left = px },
        "top" => margins with { Top = px },
        "right" => margins with { Right = px },
        "bottom" => margins with { Bottom = px },
        _ => null,
    };
}
