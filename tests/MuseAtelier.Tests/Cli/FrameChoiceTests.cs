using System.CommandLine;
using MuseAtelier.Cli;

namespace MuseAtelier.Tests.Cli;

public sealed class FrameChoiceTests
{
    [Theory]
    [InlineData("", null)]
    [InlineData("--frame none", null)]
    [InlineData("--frame gilded", "PictureFrame { Style = Gilded, Placement = Inside }")]
    [InlineData("--frame ebony --frame-place outside", "PictureFrame { Style = Ebony, Placement = Outside }")]
    [InlineData("--frame celadon --frame-place inside", "PictureFrame { Style = Celadon, Placement = Inside }")]
    public void Read_OfOptions_IsTheFrame(string line, string? expected)
    {
        (ParseResult result, FrameChoice choice) = Parse(line);

        Assert.Empty(result.Errors);
        Assert.Equal(expected, choice.Read(result)?.ToString());
    }

    [Theory]
    [InlineData("--frame plastic")]
    [InlineData("--frame")]
    [InlineData("--frame gilded --frame-place above")]
    [InlineData("--frame-place outside")]
    [InlineData("--frame none --frame-place outside")]
    public void Parse_OfWhatIsNoFrame_SaysSo(string line) => Assert.NotEmpty(Parse(line).Result.Errors);

    private static (ParseResult Result, FrameChoice Choice) Parse(string line)
    {
        var command = new Command("paint");
        var choice = new FrameChoice(command);
        return (command.Parse(line), choice);
    }
}
