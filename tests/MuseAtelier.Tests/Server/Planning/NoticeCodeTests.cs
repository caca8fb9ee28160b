using MuseAtelier.Conditioning;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Requests;

namespace MuseAtelier.Tests.Server.Planning;

/// <summary>The codes of the sentences that the library states.</summary>
public sealed class NoticeCodeTests
{
    [Theory]
    [InlineData("a (cat", "brackets-unclosed", "count", 1)]
    [InlineData("a ((cat", "brackets-unclosed", "count", 2)]
    [InlineData("a cat)", "brackets-unopened", "count", 1)]
    [InlineData("a cat))", "brackets-unopened", "count", 2)]
    [InlineData("(a BREAK b)", "break-in-brackets", "prompt", "prompt")]
    [InlineData("a [b:c:0.5] | d", "editing-unread", "prompt", "prompt")]
    [InlineData("a cat :1.5", "weight-at-end", "weight", "1.5")]
    [InlineData("a <lora:b:1>", "prompt-syntax", "prompt", "prompt")]
    public void NoticesOfPrompts_HaveCodes(string prompt, string code, string name, object value)
    {
        IReadOnlyList<string> notices = RequestPrompts.Of(new PictureRequest { Prompt = prompt, GuidanceScale = 0 }).Notices;
        NoticeCode found = Assert.Single(NoticeCode.Of(notices), each => each.Code == code);
        Assert.Equal(value, found.Arguments[name]);
    }

    [Fact]
    public void NoticesOfPlainAndNegativePrompts_HaveCodes()
    {
        string words = string.Concat(Enumerable.Repeat("word ", 100));
        var plain = new PictureRequest { Prompt = $"{words}(b:2)", PromptSyntax = PromptSyntax.Plain };
        IReadOnlyList<NoticeCode> codes = NoticeCode.Of(RequestPrompts.Of(plain).Notices);
        Assert.Equal(["prompt-plain", "prompt-cut"], codes.Select(code => code.Code));
        Assert.IsType<int>(codes[1].Arguments["tokens"]);
        var negative = new PictureRequest { Prompt = "a", NegativePrompt = "b AND c" };
        Assert.Contains(NoticeCode.Of(RequestPrompts.Of(negative).Notices), code => code.Code == "and-in-negative");
    }

    [Fact]
    public void NoticesOfTexts_HaveCodes()
    {
        ParsedParameters parsed = ParametersText.Parse("a.png", "Negative prompt: b\nSteps: 20, Size: 512x512");
        string[] codes = [.. NoticeCode.Of(parsed.Notices).Select(code => code.Code)];
        Assert.Contains("no-guidance", codes);
        Assert.Contains("no-sampler", codes);
        NoticeCode other = Assert.Single(NoticeCode.Of(["Something else."]));
        Assert.Equal((NoticeCode.Other, 0), (other.Code, other.Arguments.Count));
    }
}
