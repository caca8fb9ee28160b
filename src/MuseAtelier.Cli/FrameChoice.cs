using System.CommandLine;

namespace MuseAtelier.Cli;

/// <summary>The options by which a command is told of a frame.</summary>
internal sealed class FrameChoice
{
    private const string None = "none";

    private static readonly string[] Styles = [None, .. Enum.GetNames<FrameStyle>().Select(name => name.ToLowerInvariant())];

    private readonly Option<string> _style = new("--frame") { Description = "A frame: gilded (eggs and darts over red bole), ebony (with a fillet of gold) or celadon (porcelain carved with petals); 64 px at 1024.", HelpName = string.Join('|', Styles), DefaultValueFactory = _ => None };
    private readonly Option<FramePlacement> _placement = new("--frame-place") { Description = "Where the frame lies: inside (over the picture's border) or outside (around the picture, which keeps its size).", HelpName = "inside|outside", DefaultValueFactory = _ => FramePlacement.Inside };

    /// <summary>Adds the options to a command.</summary>
    public FrameChoice(Command command)
    {
        _style.AcceptOnlyFromAmong(Styles);
        command.Add(_style);
        command.Add(_placement);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_placement) is { Implicit: false } && result.GetValue(_style) is null or None) result.AddError("--frame-place needs a --frame.");
        });
    }

    /// <summary>The frame that was asked for; null means none.</summary>
    public PictureFrame? Read(ParseResult result) =>
        result.GetValue(_style) is { } style && style != None ? new PictureFrame(Enum.Parse<FrameStyle>(style, ignoreCase: true), result.GetValue(_placement)) : null;
}
