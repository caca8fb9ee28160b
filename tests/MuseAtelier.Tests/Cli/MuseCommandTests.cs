using System.Text.RegularExpressions;

namespace MuseAtelier.Tests.Cli;

public sealed class MuseCommandTests
{
    [Theory]
    [InlineData("rendr|x", "rendr")]
    [InlineData("render", "render")]
    [InlineData("render|x|--seed|-1", "--seed is '-1'", "or random")]
    [InlineData("render|x|--seed|18446744073709551616", "--seed is '18446744073709551616'")]
    [InlineData("render|x|--steps|many", "--steps is 'many'", "a whole number")]
    [InlineData("render|x|--guidance|much", "--guidance is 'much'", "a number")]
    [InlineData("render|x|--noise|7", "--noise is '7'", "diffusers, a1111, comfy")]
    [InlineData("render|x|--schedule|quick", "--schedule is 'quick'", "leading, trailing, linspace")]
    [InlineData("render|x|--count|0", "--count is '0'", "from 1 on")]
    [InlineData("render|x|--frobnicate", "--frobnicate")]
    [InlineData("tokens", "--file")]
    [InlineData("check|x", "--against")]
    [InlineData("render|x|--quality|101", "--quality is '101'", "from 0 to 100")]
    [InlineData("render|x|--metadata|some", "--metadata is 'some'", "full, parameters, origin, none")]
    [InlineData("render|x|--frame|oak", "--frame is 'oak'", "none, gilded, ebony, celadon")]
    [InlineData("render|x|--frame-placement|7|--frame|ebony", "--frame-placement is '7'", "inside, outside")]
    [InlineData("render|x|--frame|ebony|--frame-placement|above", "--frame-placement is 'above'", "inside, outside")]
    [InlineData("render|x|--offload|7", "--offload is '7'", "auto, resident, stream, rotate")]
    [InlineData("verify", "verify")]
    public async Task RunAsync_OfBadUsage_EndsWithTwoAndOneLine(string arguments, params string[] words)
    {
        MuseResult result = await Muse.RunAsync(arguments.Split('|'));
        result.AssertFailed(2, words);
        Assert.Empty(result.Out);
    }

    [Fact]
    public async Task RunAsync_OfNothing_ShowsHelp()
    {
        MuseResult result = await Muse.RunAsync();
        Assert.Equal(2, result.Code);
        Assert.Contains("render", result.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("render")]
    [InlineData("check")]
    [InlineData("info")]
    [InlineData("models")]
    [InlineData("tokens")]
    [InlineData("verify")]
    [InlineData("replay")]
    [InlineData("plan")]
    [InlineData("doctor")]
    public async Task RunAsync_OfHelp_StatesTheExitCodes(string command)
    {
        MuseResult result = await Muse.RunAsync(command, "--help");
        Assert.Equal(0, result.Code);
        Assert.Contains("Exit codes: 0 done", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_OfHelp_ShowsOneSentenceForEachCommand()
    {
        MuseResult result = await Muse.RunAsync("--help");
        string[] listed = [.. result.Lines.SkipWhile(line => line != "Commands:").Skip(1).TakeWhile(line => line[0] == ' ')];
        Assert.Equal(16, listed.Length);
        Assert.All(listed, line => Assert.DoesNotContain(". ", line, StringComparison.Ordinal));
        Assert.All(listed, line => Assert.EndsWith(".", line, StringComparison.Ordinal));
        // The command's own help has all sentences.
        Assert.Contains("Downloads nothing.", (await Muse.RunAsync("models", "--help")).Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--seed")]
    [InlineData("--steps")]
    [InlineData("--guidance")]
    [InlineData("--schedule")]
    [InlineData("--sampler")]
    [InlineData("--frame")]
    [InlineData("--strength")]
    public async Task RunAsync_OfHelp_SaysWhatReplayTakesFromThePicture(string option)
    {
        MuseResult replay = await Muse.RunAsync("replay", "--help");
        Assert.EndsWith("[default: the picture's]", LineOf(replay, option), StringComparison.Ordinal);
        Assert.DoesNotContain("the picture's]", LineOf(await Muse.RunAsync("render", "--help"), option), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_OfABudgetThatCannotBeKept_FailsInOneLine() =>
        (await Muse.RunAsync("plan", "--vram", "1MiB")).AssertFailed(1, "1 MiB");

    private static string LineOf(MuseResult help, string option) =>
        Assert.Single(help.Lines, line => Regex.IsMatch(line, $@"^\s+(-\w, )?{option} ")).TrimEnd();
}
