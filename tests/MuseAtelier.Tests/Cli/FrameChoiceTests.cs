using System.CommandLine;
using MuseAtelier.Cli;
using MuseAtelier.Cli.Choices;

namespace MuseAtelier.Tests.Cli;

public sealed class FrameChoiceTests
{
    [Theory]
    [InlineData("", null)]
    [InlineData("--frame none", null)]
    [InlineData("--frame gilded", "PictureFrame { Style = Gilded, Placement = Inside }")]
    [InlineData("--frame ebony --frame-placement outside", "PictureFrame { Style = Ebony, Placement = Outside }")]
    [InlineData("--frame celadon --frame-placement inside", "PictureFrame { Style = Celadon, Placement = Inside }")]
    public void Read_OfOptions_IsTheFrame(string line, string? expected)
    {
        (ParseResult result, FrameChoice choice) = Parse(line);

        Assert.Empty(result.Errors);
        Assert.Equal(expected, choice.Read(result)?.ToString());
    }

    [Theory]
    [InlineData("--frame plastic")]
    [InlineData("--frame")]
    [InlineData("--frame gilded --frame-placement above")]
    [InlineData("--frame-placement outside")]
    [InlineData("--frame none --frame-placement outside")]
    public void Parse_OfWhatIsNoFrame_GivesAnError(string line) => Assert.NotEmpty(Parse(line).Result.Errors);

    private static (ParseResult Result, FrameChoice Choice) Parse(string line)
    {
        var command = new Command("paint");
        var choice = new FrameChoice(command);
        return (command.Parse(line), choice);
    }
}
