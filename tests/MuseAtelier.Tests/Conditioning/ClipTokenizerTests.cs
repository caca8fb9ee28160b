using MuseAtelier.Conditioning;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Conditioning;

public sealed class ClipTokenizerTests
{
    [Fact]
    public void Encode_OfEveryGoldenPrompt_GivesItsIds()
    {
        Assert.All(GoldenFiles.All, golden =>
        {
            int[][] clipL = golden.Rows("tokens_l"), clipG = golden.Rows("tokens_g_pad0");
            Assert.Equal(golden.Prompts.Length, clipL.Length);
            for (int i = 0; i < clipL.Length; i++)
            {
                PromptTokens tokens = PromptTokenizer.Encode(golden.Prompts[i]);
                Assert.Equal(clipL[i], tokens.ClipL.ToArray());
                Assert.Equal(clipG[i], tokens.ClipG.ToArray());
            }
        });
    }

    [Fact]
    public void Encode_OfTheEmptyPrompt_IsStartAndEnd()
    {
        PromptTokens tokens = PromptTokenizer.Encode("");
        Assert.Equal([49406, 49407, 49407], tokens.ClipL[..3].ToArray());
        Assert.Equal([49406, 49407, 0], tokens.ClipG[..3].ToArray());
        Assert.Empty(tokens.Tokens);
        Assert.Equal("", tokens.CutText);
    }

    [Fact]
    public void Encode_OfSeventyFiveWords_CutsNothing()
    {
        PromptTokens tokens = PromptTokenizer.Encode(Words(75));
        Assert.Equal(75, tokens.Tokens.Count);
        Assert.Equal(0, tokens.CutCount);
        Assert.Equal("", tokens.CutText);
        Assert.Equal(49407, tokens.ClipG.Span[76]);
    }

    [Fact]
    public void Encode_BeyondSeventyFive_SaysWhatFellOff()
    {
        PromptTokens tokens = PromptTokenizer.Encode(Words(75) + "  a Blue\tHOUSE, Étretat ");
        Assert.Equal(75, tokens.Tokens.Count);
        Assert.Equal("a Blue\tHOUSE, Étretat", tokens.CutText);
        Assert.Equal(PromptTokenizer.Encode("a Blue HOUSE, Étretat").Tokens.Count, tokens.CutCount);
    }

    [Fact]
    public void Encode_CutInsideAWord_BeginsTheCutTextThere()
    {
        PromptTokens tokens = PromptTokenizer.Encode(Words(74) + " Supercalifragilistic");
        Assert.Equal("Super", tokens.Tokens[^1].Source, ignoreCase: true);
        Assert.Equal("califragilistic", tokens.CutText);
    }

    [Fact]
    public void Encode_CutInsideALetter_RepeatsTheLetterInTheCutText()
    {
        PromptTokens tokens = PromptTokenizer.Encode(Words(74) + " 梵高");
        Assert.Equal("梵", tokens.Tokens[^1].Source);
        Assert.StartsWith("梵高", tokens.CutText, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("e\u0301tude", "\u00E9tude")] // decomposed as macOS stores it
    [InlineData("\u212Bngstro\u0308m", "\u00E5ngström")]
    [InlineData("\u1112\u1161\u11AB\u1100\u116E\u11A8", "한국")]
    [InlineData("a\u0301\u0323", "\u1EA1\u0301")] // marks in the wrong order
    [InlineData("か\u3099", "が")]
    [InlineData("ẞ Ǆ ǅ ΑΣ 𐐀", "ß ǆ ǆ ασ 𐐨")] // one letter at a time: no final sigma
    [InlineData("İ", "i\u0307")]
    [InlineData("a\u00A0b\u3000c\u2028d\u0085e\u000Bf", "a b c d e f")]
    [InlineData("  \t ", "")]
    [InlineData("ITS it'S WE'LL", "its it's we'll")]
    public void Encode_OfTheSameTextWrittenOtherwise_GivesTheSameIds(string written, string same) =>
        Assert.Equal(PromptTokenizer.Encode(same).ClipL.ToArray(), PromptTokenizer.Encode(written).ClipL.ToArray());

    [Theory]
    [InlineData("\uD83C")]
    [InlineData("\uDFA8 a")]
    [InlineData("a\uD83C\uD83C\uDFA8")]
    [InlineData("\0\u0001\uFFFE\uFFFF\u200B\u200D\u2060\uFEFF")]
    [InlineData("\u0301\u0301")]
    [InlineData("<|endoftext|><|startoftext|><|")]
    public void Encode_OfOddText_CoversAllOfIt(string text)
    {
        PromptTokens tokens = PromptTokenizer.Encode(text);
        Assert.NotEmpty(tokens.Tokens);
        Assert.All(tokens.Tokens, token => Assert.NotEmpty(token.Source));
        Assert.EndsWith(tokens.Tokens[^1].Source, text, StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_OfAnUnpairedSurrogate_TakesTheReplacementCharacter() =>
        Assert.Equal(PromptTokenizer.Encode("a \uFFFD b").ClipL.ToArray(), PromptTokenizer.Encode("a \uD83C b").ClipL.ToArray());

    [Fact]
    public void Encode_OfSpecialNames_TakesThemInLowerCaseOnly()
    {
        Assert.Equal([49406, 49407], PromptTokenizer.Encode("<|startoftext|><|endoftext|>").Tokens.Select(token => token.Id));
        Assert.DoesNotContain(PromptTokenizer.Encode("<|STARTOFTEXT|>").Tokens, token => token.Id >= 49406);
    }

    [Fact]
    public void Encode_OfTenThousandWords_CountsThemAll() =>
        Assert.Equal(10_000 - 75, PromptTokenizer.Encode(Words(10_000)).CutCount);

    [Fact]
    public void Encode_OfOneEndlessWord_Ends()
    {
        PromptTokens tokens = PromptTokenizer.Encode(new string('a', 100_000));
        Assert.Equal(100_000 - tokens.Tokens.Sum(token => token.Source.Length), tokens.CutText.Length);
    }

    [Fact]
    public void Encode_ByManyThreads_AgreesWithItself()
    {
        int[] expected = PromptTokenizer.Encode(GoldenFiles.Miniature.Prompts[4]).ClipL.ToArray();
        Parallel.For(0, 32, _ => Assert.Equal(expected, PromptTokenizer.Encode(GoldenFiles.Miniature.Prompts[4]).ClipL.ToArray()));
    }

    private static string Words(int count) => string.Join(' ', Enumerable.Repeat("word", count));
}
