using System.CommandLine;
using System.CommandLine.Parsing;

namespace MuseAtelier.Cli.Choices;

/// <summary>The options that put a frame on a picture.</summary>
internal sealed class FrameChoice
{
    private readonly Option<Style> _style = Choice.Of<Style>(
        "--frame",
        "A frame: gilded (eggs and darts over red bole), ebony (with a fillet of gold) or celadon (porcelain carved with petals); "
            + "64 px wide at 1024.");
    private readonly Option<FramePlacement> _placement = Choice.Of<FramePlacement>(
        "--frame-placement",
        "Where the frame lies: inside (over the picture's border) or outside (around the picture, which keeps its size).");

    /// <summary>Adds the options to a command.</summary>
    public FrameChoice(Command command)
    {
        command.Add(_style);
        command.Add(_placement);
        command.Validators.Add(Validate);
    }

    private enum Style
    {
        None,
        Gilded,
        Ebony,
        Celadon,
    }

    /// <summary>The chosen frame; null means none.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="basis">Supplies the value of every option that is not given.</param>
    public PictureFrame? Read(ParseResult result, PictureFrame? basis = null)
    {
        if (result.GetResult(_style) is not { Implicit: false }) return basis;
        FramePlacement placement = result.GetResult(_placement) is { Implicit: false }
            ? result.GetValue(_placement)
            : basis?.Placement ?? FramePlacement.Inside;
        return result.GetValue(_style) switch
        {
            Style.Gilded => new PictureFrame(FrameStyle.Gilded, placement),
            Style.Ebony => new PictureFrame(FrameStyle.Ebony, placement),
            Style.Celadon => new PictureFrame(FrameStyle.Celadon, placement),
            _ => null,
        };
    }

    private void Validate(CommandResult result)
    {
        if (result.GetResult(_placement) is not { Implicit: false }) return;
        // Reads the token, not the value: an unknown style was reported by its parser already, and has no value.
        string? style = result.GetResult(_style) is { Implicit: false, Tokens: [var word, ..] } ? word.Value : null;
        bool isFramed = style is not null && !style.Equals(nameof(Style.None), StringComparison.OrdinalIgnoreCase);
        if (!isFramed) result.AddError("--frame-placement needs a --frame.");
    }
}
