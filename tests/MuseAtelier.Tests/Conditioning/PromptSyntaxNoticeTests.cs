using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Conditioning;

public sealed class PromptSyntaxNoticeTests(NarrowAtelier narrow)
{
    [Theory]
    [InlineData("a starry night, Van Gogh style")]
    [InlineData("")]
    [InlineData("smile :) and frown :(, a < b > c, 3:2, under_score, band, BREAKFAST, SAND")]
    [InlineData("empty () [] {} brackets that hold nothing")]
    [InlineData("embedding: none, re-embedding:x")]
    [InlineData("closed) only]")]
    public void Of_PlainText_SaysNothing(string prompt) => Assert.Null(Of(prompt));

    [Theory]
    [InlineData("a (storm:1.3) sea", "weights such as (storm:1.3)")]
    [InlineData("a ( storm : .8 ) sea", "weights such as ( storm : .8 )")]
    [InlineData("a ((storm)) sea", "parentheses such as (storm)")]
    [InlineData("a house (red)", "parentheses such as (red)")]
    [InlineData("a house (red", "parentheses such as (red")]
    [InlineData("a [storm] sea", "square brackets such as [storm]")]
    [InlineData("a [calm:storm:0.5] sea", "prompt editing such as [calm:storm:0.5]")]
    [InlineData("a [storm::8] sea", "prompt editing such as [storm::8]")]
    [InlineData("a [calm|storm] sea", "alternation such as [calm|storm]")]
    [InlineData("a {calm|storm} sea", "braces such as {calm|storm}")]
    [InlineData("sea <lora:storm:0.8>", "networks such as <lora:storm:0.8>")]
    [InlineData("sea <hypernet:storm:1>", "networks such as <hypernet:storm:1>")]
    [InlineData("sea <wildcard:weather>", "tags such as <wildcard:weather>")]
    [InlineData("sea, embedding:storm-xl, foam", "embeddings such as embedding:storm-xl")]
    [InlineData("a __weather/sky_colour__ sea", "wildcards such as __weather/sky_colour__")]
    [InlineData("sea BREAK storm", "the word BREAK")]
    [InlineData("sea AND storm", "the word AND")]
    [InlineData(@"sea \(storm\)", @"escapes such as \(")]
    public void Of_Syntax_NamesItAlone(string prompt, string expected)
    {
        string notice = Of(prompt, "negative prompt")!;
        Assert.StartsWith("The negative prompt has syntax of other programs", notice, StringComparison.Ordinal);
        Assert.Contains(expected, notice, StringComparison.Ordinal);
        Assert.DoesNotContain(';', notice);
    }

    [Fact]
    public void Of_ManyKinds_NamesEachOnce()
    {
        const string first = """(a:1.1) (b) [c] [d:e:4] [f|g] {h|i} <lora:j:1> <k:l> embedding:m __n__ BREAK o AND p \(""";
        const string prompt = $"{first} (q:1.2) ((r)) [s]";
        string notice = Of(prompt)!;
        Assert.Equal(13, notice.Split(';').Length);
        Assert.All((string[])["(q:1.2)", "(r)", "[s]"], later => Assert.DoesNotContain(later, notice, StringComparison.Ordinal));
    }

    // Every kind of bracket, open and closed, a million times over; time-outs of other tests would show a search that starts over.
    [Theory]
    [InlineData("(")]
    [InlineData("[a:")]
    [InlineData("<lora:")]
    [InlineData("__a")]
    [InlineData("embedding:")]
    [InlineData("(a:1)")]
    [InlineData("\\(")]
    public void Of_LongText_IsReadOnce(string piece)
    {
        string notice = Of(string.Concat(Enumerable.Repeat(piece, 1_000_000 / piece.Length))) ?? "";
        Assert.InRange(notice.Length, 0, 400);
    }

    [Fact]
    public async Task GenerateAsync_OfSyntaxInBothPrompts_SaysItOnceForEach()
    {
        PictureRequest request = TestAtelier.Small with { Prompt = "(storm:1.3), <lora:a:1>", NegativePrompt = "[fog], <lora:b:1>" };
        Picture picture = await narrow.Atelier.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal([PromptSyntaxNotice.Of(request.Prompt)!, PromptSyntaxNotice.Of(request.NegativePrompt, "negative prompt")!],
            picture.Notices);
        Assert.EndsWith("It has networks such as <lora:a:1>.", picture.Notices[0], StringComparison.Ordinal);
        Picture plain = await narrow.Atelier.GenerateAsync(
            request with { PromptSyntax = PromptSyntax.Plain }, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal([Of(request.Prompt)!, Of(request.NegativePrompt, "negative prompt")!], plain.Notices);
    }

    [Theory]
    [InlineData("(a:1.1) (b) [c] [d:e:4] [f|g] BREAK o AND p \\( (", null)]
    [InlineData("<lora:j:1> embedding:m __n__ {h|i} <k:l>", "braces networks tags embeddings wildcards")]
    public void Of_InTheDefaultSyntax_NamesWhatIsPaintedAsText(string prompt, string? kinds)
    {
        string? notice = PromptSyntaxNotice.Of(prompt);
        Assert.Equal(kinds is null, notice is null);
        if (kinds is null) return;
        Assert.Contains("not supported", notice, StringComparison.Ordinal);
        Assert.Equal(kinds.Split(' '), notice!.Split("It has ")[1].Split("; ").Select(kind => kind.Split(' ')[0]));
    }

    [Fact]
    public void Of_InComfyUIsSyntax_NamesEditingAndParts()
    {
        Assert.Null(PromptSyntaxNotice.Of("(a:1.1) (b) [c]", "prompt", PromptSyntax.Comfy));
        string notice = PromptSyntaxNotice.Of("[d:e:4] [f|g] BREAK o AND p", "prompt", PromptSyntax.Comfy)!;
        Assert.EndsWith(
            "It has prompt editing such as [d:e:4]; alternation such as [f|g]; the word BREAK; the word AND.",
            notice,
            StringComparison.Ordinal);
    }

    private static string? Of(string prompt, string name = "prompt") => PromptSyntaxNotice.Of(prompt, name, PromptSyntax.Plain);
}
