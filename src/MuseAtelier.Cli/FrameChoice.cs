using System.CommandLine;

namespace MuseAtelier.Cli;

/// <summary>The options by which a command is told of a frame.</summary>
internal sealed class FrameChoice
{
    private const string None = "none";

    private static readonly string[] Styles = [None, .. Enum.GetNames<FrameStyle>().Select(name => name.ToLowerInvariant())];

    private readonly Option<string> _style = Choice.Named("--frame", "A frame: gilded (eggs and darts over red bole), ebony (with a fillet of gold) or celadon (porcelain carved with petals); 64 px at 1024.", Styles);
    private readonly Option<FramePlacement> _placement = Choice.Of<FramePlacement>("--frame-placement", "Where the frame lies: inside (over the picture's border) or outside (around the picture, which keeps its size).");

    /// <summary>Adds the options to a command.</summary>
    public FrameChoice(Command command)
    {
        command.Add(_style);
        command.Add(_placement);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_placement) is { Implicit: false } && result.GetValue(_style) is null or None) result.AddError("--frame-placement needs a --frame.");
        });
    }

    /// <summary>The frame that was asked for; null means none.</summary>
    /// <param name="result">The command line.</param>
    /// <param name="basis">What stands where an option is not given.</param>
    public PictureFrame? Read(ParseResult result, PictureFrame? basis = null)
    {
        string? style = result.GetResult(_style) is { Implicit: false } ? result.GetValue(_style) : basis?.Style.ToString();
        FramePlacement placement = result.GetResult(_placement) is { Implicit: false } ? result.GetValue(_placement) : basis?.Placement ?? FramePlacement.Inside;
        return style is null or None ? null : new PictureFrame(Enum.Parse<FrameStyle>(style, ignoreCase: true), placement);
    }
}
