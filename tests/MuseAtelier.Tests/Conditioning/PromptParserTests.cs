using System.Globalization;
using System.Text.Json;
using MuseAtelier.Conditioning;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Conditioning;

public sealed class PromptParserTests
{
    [Fact]
    public void Parse_OfTheReferencePrompts_GivesTheirSpans()
    {
        foreach (JsonElement sample in GoldenFiles.Prompts.Notes.GetProperty("weighted").EnumerateArray())
        {
            string prompt = sample.GetProperty("prompt").GetString()!;
            (string Text, double Weight)[] expected =
                [.. sample.GetProperty("parsed").EnumerateArray().Select(span => (span[0].GetString()!, span[1].GetDouble()))];
            Assert.Equal(expected, PromptParser.Parse(prompt, PromptSyntax.A1111).Spans.Select(span => (span.Text, span.Weight)));
        }
    }

    // Expected values: modules/prompt_parser.py of AUTOMATIC1111 1.10, its examples and its rules followed by hand.
    [Theory]
    [InlineData("normal text", "normal text=1")]
    [InlineData("an (important) word", "an =1|important=1.1| word=1")]
    [InlineData("(unbalanced", "unbalanced=1.1")]
    [InlineData("(unnecessary)(parens)", "unnecessaryparens=1.1")]
    [InlineData("(a (house:1.3)", "a =1.1|house=1.43")]
    [InlineData("[a]]", "a=0.909091|]=1")]
    [InlineData(@"\(literal\]\\", @"(literal]\=1")]
    [InlineData(@"a\b", "ab=1")]
    [InlineData("(x: 1.5 )", "x=1.5")]
    [InlineData("(x:-0.5)", "x=-0.5")]
    [InlineData("(x:abc)", "x:abc=1.1")]
    [InlineData("x:1.2)", "x:1.2)=1")]
    [InlineData("(x:１.５)", "x=1.5")]
    [InlineData("", "=1")]
    [InlineData("()", "=1")]
    [InlineData("a BREAK b", "a=1|BREAK|b=1")]
    [InlineData("a\nBREAK\n(b:2)", "a=1|BREAK|=1|b=2")]
    [InlineData("(a:2) BREAK", "a=2|=1|BREAK|=1")]
    [InlineData("BREAKFAST", "BREAKFAST=1")]
    [InlineData("(a BREAK b:2)", "a=2|BREAK=-2|b=2")]
    public void Parse_InA1111sSyntax_GivesItsSpans(string prompt, string expected) =>
        Assert.Equal(expected, Describe(PromptParser.Parse(prompt, PromptSyntax.A1111)));

    // Expected values: token_weights of comfy/sd1_clip.py, followed by hand.
    [Theory]
    [InlineData("normal [text]", "normal [text]=1")]
    [InlineData("an (important) word", "an =1|important=1.1| word=1")]
    [InlineData("((a:1.3) b)", "a=1.3| b=1.1")]
    [InlineData("((a) b:2)", "a=2.2| b=2")]
    [InlineData("(x:abc)", "x:abc=1.1")]
    [InlineData("(x:-1e1)", "x=-10")]
    [InlineData("(:2)", ":2=1.1")]
    [InlineData(@"\(a\) (\(b\):2)", "(a) =1|(b)=2")]
    [InlineData("(open", "(open=1")]
    [InlineData("(a (b)", "a =1.1|(b=1.1")]
    [InlineData("a) (b) (c)", "a) (b) (c)=1")]
    [InlineData("a BREAK b", "a BREAK b=1")]
    [InlineData("", "=1")]
    [InlineData("()", "=1")]
    public void Parse_InComfyUIsSyntax_GivesItsSpans(string prompt, string expected) =>
        Assert.Equal(expected, Describe(PromptParser.Parse(prompt, PromptSyntax.Comfy)));

    [Fact]
    public void Parse_OfAPlainPrompt_ChangesNothing()
    {
        const string prompt = @"(a:1.2) [b] \( BREAK";
        Assert.Equal([new PromptSpan(prompt, 1)], PromptParser.Parse(prompt, PromptSyntax.Plain).Spans);
    }

    [Theory]
    [InlineData("unclosed (bracket and [another", "The prompt has 2 unclosed brackets, which weight everything up to the end.")]
    [InlineData("(cat", "The prompt has an unclosed bracket, which weights everything up to the end.")]
    [InlineData("cat)", "The prompt has a closing bracket without an opening one, which is painted as text.")]
    [InlineData("a) b]", "The prompt has 2 closing brackets without an opening one, which are painted as text.")]
    [InlineData("(a BREAK b)", "The prompt has BREAK within brackets, which is painted as a word, as AUTOMATIC1111 does.")]
    public void Parse_OfUnbalancedBrackets_GivesANotice(string prompt, string notice) =>
        Assert.Equal(notice, Assert.Single(PromptParser.Parse(prompt, PromptSyntax.A1111).Notices));

    [Fact]
    public void Parse_OfUnbalancedParentheses_GivesANotice()
    {
        Assert.Single(PromptParser.Parse("(a", PromptSyntax.Comfy).Notices);
        Assert.Empty(PromptParser.Parse(@"(a\( b)", PromptSyntax.Comfy).Notices);
        Assert.Empty(PromptParser.Parse("(a [b])", PromptSyntax.A1111).Notices);
    }

    [Theory]
    [InlineData(PromptSyntax.A1111, "(x:1.2.3)", "the weight '1.2.3'")]
    [InlineData(PromptSyntax.A1111, "(x:...)", "the weight '...'")]
    [InlineData(PromptSyntax.A1111, "(x:1001)", "the weight 1001")]
    [InlineData(PromptSyntax.A1111, "((x:999):-2)", "the weight -1998")]
    [InlineData(PromptSyntax.Comfy, "(x:1001)", "the weight 1001")]
    [InlineData(PromptSyntax.Comfy, "(x:NaN)", "the weight NaN")]
    public void Parse_OfAWeightThatIsNone_SaysWhichOne(PromptSyntax syntax, string prompt, string found)
    {
        var exception = Assert.Throws<PromptException>(() => PromptParser.Parse(prompt, syntax, "negative prompt"));
        Assert.Contains($"the negative prompt has {found}", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_OfManyBrackets_IsRefused()
    {
        string deep = string.Concat(Enumerable.Repeat("(", 300)) + "a" + string.Concat(Enumerable.Repeat(")", 300));
        Assert.Throws<PromptException>(() => PromptParser.Parse(deep, PromptSyntax.Comfy));
        Assert.Throws<PromptException>(() => PromptParser.Parse(deep, PromptSyntax.A1111));
        string many = string.Concat(Enumerable.Repeat("(a:1)b", 20_000));
        Assert.Throws<PromptException>(() => PromptParser.Parse(many, PromptSyntax.Comfy));
        Assert.Throws<PromptException>(() => PromptParser.Parse(many, PromptSyntax.A1111));
    }

    // Texts of random pieces: nothing but the exception of the contract, and every weight a number.
    [Theory]
    [InlineData(PromptSyntax.A1111)]
    [InlineData(PromptSyntax.Comfy)]
    public void Parse_OfRandomText_NeverFailsOtherwise(PromptSyntax syntax)
    {
        string[] pieces = ["(", ")", "[", "]", ":", @"\", "1.2", "-", ".", "a ", " ", "BREAK", "\n", "👩‍🎨", ",", "\0", "e5", "|"];
        var random = new Random(16);
        int parsed = 0;
        for (int i = 0; i < 5000; i++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => pieces[random.Next(pieces.Length)]));
            try
            {
                Assert.All(PromptParser.Parse(text, syntax).Spans, span => Assert.InRange(span.Weight, -1000, 1000));
                parsed++;
            }
            catch (PromptException exception)
            {
                Assert.Contains("weight", exception.Message, StringComparison.Ordinal);
            }
        }

        Assert.InRange(parsed, 4000, 5000);
    }

    private static string Describe(ParsedPrompt parsed) => string.Join('|', parsed.Spans.Select(span =>
        span.IsBreak ? "BREAK" : $"{span.Text}={span.Weight.ToString("0.######", CultureInfo.InvariantCulture)}"));
}
