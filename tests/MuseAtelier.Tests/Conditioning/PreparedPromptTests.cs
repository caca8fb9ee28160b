using MuseAtelier.Conditioning;

namespace MuseAtelier.Tests.Conditioning;

public sealed class PreparedPromptTests
{
    [Fact]
    public void Of_OfAPlainPrompt_HasNoNotices() => Assert.Empty(PreparedPrompt.Of("a starry night", "prompt").Notices);

    [Fact]
    public void Of_OfSyntaxAndTooManyTokens_NoticesBothInThatOrder()
    {
        string prompt = "(gold:1.2) " + string.Join(' ', Enumerable.Repeat("word", 200));
        PreparedPrompt prepared = PreparedPrompt.Of(prompt, "negative prompt");
        Assert.Equal(PromptChunks.Of(PromptTokenizer.Encode(prompt)), prepared.Chunks);
        Assert.Equal(2, prepared.Notices.Count);
        Assert.Equal(PromptSyntaxNotice.Of(prompt, "negative prompt"), prepared.Notices[0]);
        int cut = PromptTokenizer.Encode(prompt).CutCount;
        Assert.Equal(
            FormattableString.Invariant($"The negative prompt has {cut} tokens more than the 75 that the model reads; ")
                + $"cut off: {string.Concat(Enumerable.Repeat("word ", 24))}…",
            prepared.Notices[1]);
    }
}
