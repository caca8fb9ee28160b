using MuseAtelier.Conditioning;

namespace MuseAtelier.Tests.Conditioning;

public sealed class PreparedPromptTests
{
    private static readonly PromptSettings Plain = new(PromptSyntax.Plain);

    [Fact]
    public void Of_OfAPlainPrompt_HasNoNotices() => Assert.Empty(PreparedPrompt.Of("a starry night", "prompt", Plain).Notices);

    [Fact]
    public void Of_OfTooManyTokens_NoticesWhatIsCut()
    {
        string prompt = "(gold:1.2) " + string.Join(' ', Enumerable.Repeat("word", 200));
        PreparedPrompt prepared = PreparedPrompt.Of(prompt, "negative prompt", Plain);
        Assert.Equal(PromptChunks.Of(PromptTokenizer.Encode(prompt)), prepared.Chunks);
        int cut = PromptTokenizer.Encode(prompt).CutCount;
        Assert.Equal(
            FormattableString.Invariant($"The negative prompt has {cut} tokens more than the 75 that the model reads; ")
                + $"cut off: {string.Concat(Enumerable.Repeat("word ", 24))}…",
            Assert.Single(prepared.Notices));
    }

    [Fact]
    public void Of_OfSyntaxAndTooManyTokens_NoticesBothInThatOrder()
    {
        string prompt = "(gold:1.2) " + string.Join(' ', Enumerable.Repeat("word", 200));
        var request = new PictureRequest { Prompt = "", NegativePrompt = prompt, PromptSyntax = PromptSyntax.Plain };
        Assert.Equal(
            [
                PromptSyntaxNotice.Of(prompt, "negative prompt", PromptSyntax.Plain)!,
                .. PreparedPrompt.Of(prompt, "negative prompt", Plain).Notices,
            ],
            RequestPrompts.Of(request).Notices);
    }

    [Theory]
    [InlineData(PromptEmphasis.Original, Emphasis.RestoredMean)]
    [InlineData(PromptEmphasis.NoNorm, Emphasis.Scaled)]
    public void Of_OfARequest_UsesItsEmphasisAndCommaRule(PromptEmphasis chosen, object expected)
    {
        var request = new PictureRequest { Prompt = "(star:1.1)" + Repeat(70) + ", " + Repeat(10), Emphasis = chosen, CommaBacktrack = 3 };
        PromptChunks full = RequestPrompts.Of(request).Sets[0].Parts[0];
        Assert.Equal(expected, full.Emphasis);
        Assert.NotEqual(full, RequestPrompts.Of(request with { CommaBacktrack = 20 }).Sets[0].Parts[0]);
        Assert.Equal(full, RequestPrompts.Of(request with { CommaBacktrack = 0 }).Sets[0].Parts[0]);
    }

    private static string Repeat(int count) => string.Concat(Enumerable.Repeat(" star", count));
}
