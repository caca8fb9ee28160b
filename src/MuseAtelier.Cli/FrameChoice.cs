using System.CommandLine;

namespace MuseAtelier.Cli;

/// <summary>The options by which a command is told of a frame.</summary>
internal sealed class FrameChoice
{
    private readonly Option<Style> _style = Choice.Of<Style>("--frame", "A frame: gilded (eggs and darts over red bole), ebony (with a fillet of gold) or celadon (porcelain carved with petals); 64 px at 1024.");
    private readonly Option<FramePlacement> _placement = Choice.Of<FramePlacement>("--frame-placement", "Where the frame lies: inside (over the picture's border) or outside (around the picture, which keeps its size).");

    /// <summary>Adds the options to a command.</summary>
    public FrameChoice(Command command)
    {
        command.Add(_style);
        command.Add(_placement);
        command.Validators.Add(result =>
        {
            // By its word: a frame that there is not has been refused already, and has no value.
            string? style = result.GetResult(_style) is { Implicit: false, Tokens: [var word, ..] } ? word.Value : null;
            if (result.GetResult(_placement) is { Implicit: false } && (style is null || style.Equals(nameof(Style.None), StringComparison.OrdinalIgnoreCase))) result.AddError("--frame-placement needs a --frame.");
        });
    }

    private enum Style
    {
        None,
        Gilded,
        Ebony,
        Celadon,
    }

    /// <summary>The frame that was asked for; null means none.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="basis">What stands where an option is not given.</param>
    public PictureFrame? Read(ParseResult result, PictureFrame? basis = null)
    {
        if (result.GetResult(_style) is not { Implicit: false }) return basis;
        FramePlacement placement = result.GetResult(_placement) is { Implicit: false } ? result.GetValue(_placement) : basis?.Placement ?? FramePlacement.Inside;
        return result.GetValue(_style) switch
        {
            Style.Gilded => new PictureFrame(FrameStyle.Gilded, placement),
            Style.Ebony => new PictureFrame(FrameStyle.Ebony, placement),
            Style.Celadon => new PictureFrame(FrameStyle.Celadon, placement),
            _ => null,
        };
    }
}
