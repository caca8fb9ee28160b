using MuseAtelier.Conditioning;

namespace MuseAtelier.Tests.Conditioning;

/// <summary>The prompts of a request: parts, versions over the steps, and equal lengths.</summary>
public sealed class RequestPromptsTests
{
    private static readonly string[] Pieces =
    [
        "a starry night", ", ", "Van Gogh", "oil on canvas", " :) ", "16:9 ", "it's", "42", "½", "—", "...", "!?", "'", "\"", "<3",
        "{x}",
        "夜空", "한국의 밤", "ночь", "café", "e\u0301", "İstanbul", "🌌",
        "👩‍🎨", "\u200B", "\u3000", "\t", "\n", "a|b", "a/b", "1",
        "<|endoftext|>", "<|", "and", "Break", "BREAKFAST", "SAND", "_AND", "embedding", "<lora>", "@", "$5", "100%", "~", "`", "^",
    ];

    [Fact]
    public void Of_OfPromptsWithoutBrackets_GivesThePlainTokens()
    {
        var random = new Random(75);
        int compared = 0;
        for (int i = 0; i < 3000; i++)
        {
            string prompt = string.Concat(Enumerable.Range(0, random.Next(20)).Select(_ => Pieces[random.Next(Pieces.Length)]));
            if (PromptTokenizer.Encode(prompt).CutCount > 0) continue;
            AssertPlain(prompt);
            compared++;
        }

        Assert.InRange(compared, 2000, 3000);
    }

    [Theory]
    [InlineData(' ')]
    [InlineData('\u3000')]
    public void Of_OfMostlyWhiteSpaceAtTheLimit_GivesThePlainTokens(char space) =>
        AssertPlain(new string(space, RequestRules.LongestPrompt - 5) + "night");

    [Fact]
    public void Of_OfNothingButBrackets_IsEmpty()
    {
        RequestPrompts prompts = Of(new string('(', RequestRules.LongestPrompt));
        Assert.Equal(PromptChunks.Empty, prompts.Sets[0].Parts[0]);
        Assert.Contains("unclosed brackets", Assert.Single(prompts.Notices), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("🌌")]
    [InlineData("星")]
    [InlineData("ab ")]
    [InlineData("\u0301")]
    [InlineData(")")]
    [InlineData("[a|b]")]
    [InlineData("(a:1.1)")]
    [InlineData("a AND ")]
    [InlineData("a BREAK ")]
    public void Of_OfEndlessText_IsRefusedWithTheBound(string piece)
    {
        string prompt = string.Concat(Enumerable.Repeat(piece, RequestRules.LongestPrompt / piece.Length));
        var exception = Assert.Throws<PromptException>(() => Of(prompt, steps: 1000));
        Assert.Contains("at most", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a AND b", "a@1| b@1")]
    [InlineData("a cat :1.2 AND a dog:0.8\nAND ball : -.5", "a cat@1.2| a dog@0.8| ball@-0.5")]
    [InlineData("a :1 :2 AND b:+3.", "a :1@2| b@3")]
    [InlineData("a:1.2.3 AND b:x AND c: AND d -1", "a:1.2.3@1| b:x@1| c:@1| d -1@1")]
    [InlineData("AND a", "@1| a@1")]
    [InlineData("a AND  AND", "a@1|@1|@1")]
    [InlineData("(a:1.3) AND [b:0.5", "(a:1.3)@1| [b@0.5")]
    [InlineData("a:１.５ AND b", "a@1.5| b@1")]
    [InlineData("a AND:2", "a@1|@2")]
    [InlineData("SAND and AND_ x", "SAND and AND_ x@1")]
    [InlineData("a cat  ", "a cat@1")]
    public void Split_OfAPrompt_GivesItsPartsAndWeights(string prompt, string expected)
    {
        IReadOnlyList<PromptPart> parts = PromptPart.Split(prompt, "prompt", []);
        Assert.Equal(expected, string.Join('|', parts.Select(part => FormattableString.Invariant($"{part.Text}@{part.Weight}"))));
    }

    [Fact]
    public void Of_OfParts_GivesEachItsOwnPrompt()
    {
        RequestPrompts prompts = Of("a (cat:1.2) :1.5 AND " + Words(100), "AND fog");
        PromptSet set = Assert.Single(prompts.Sets);
        Assert.Equal([1.5f, 1], prompts.Weights);
        Assert.Equal(Chunks("a (cat:1.2)").PadTo(2), set.Parts[0]);
        Assert.Equal(Chunks(Words(100)), set.Parts[1]);
        Assert.Equal(Chunks("AND fog").PadTo(2), set.Negative);
        Assert.Equal(
            "The negative prompt has the word AND, which is painted as text there, as AUTOMATIC1111 does.", Assert.Single(prompts.Notices));
    }

    [Fact]
    public void Of_OfTooManyPartsOrAWeightOutOfRange_IsRefused()
    {
        Assert.Equal(8, Of(string.Join(" AND ", Enumerable.Repeat("a", 8))).Weights.Count);
        var many = Assert.Throws<PromptException>(() => Of(string.Join(" AND ", Enumerable.Repeat("a", 9))));
        Assert.Contains("more than 8 parts", many.Message, StringComparison.Ordinal);
        var heavy = Assert.Throws<PromptException>(() => Of("a AND b :1001"));
        Assert.Contains("the second part of the prompt has the weight 1001", heavy.Message, StringComparison.Ordinal);
        var wrong = Assert.Throws<PromptException>(() => Of("a AND (b:1.2.3)"));
        Assert.Contains("the second part of the prompt has the weight '1.2.3'", wrong.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a picture in 16:9")]
    [InlineData("a picture in 16 : 9 \n")]
    public void Of_OfAWeightWithoutAnd_PaintsItAsTextWithANotice(string prompt)
    {
        RequestPrompts prompts = Of(prompt);
        Assert.Equal(1, Assert.Single(prompts.Weights));
        Assert.Equal(PromptChunks.Of(PromptTokenizer.Encode(prompt)), prompts.Sets[0].Parts[0]);
        Assert.StartsWith("The prompt ends with ':9', which is painted as text.", Assert.Single(prompts.Notices), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_OfEditingInAllPrompts_CombinesTheirVersions()
    {
        RequestPrompts prompts = Of("a [cat:dog:2] AND [x|y] :2", "[fog:rain:4]", steps: 8);
        Assert.Equal([1, 2], prompts.Weights);
        // Steps as AUTOMATIC1111 counts them, from 0: cat up to 2, x in 0, 1, 3, 5 and 7, fog up to 4.
        Assert.Equal([0, 0, 1, 2, 3, 4, 5, 4], prompts.SetOfStep);
        Assert.Equal(
            ["cat x fog", "cat y fog", "dog x fog", "dog y fog", "dog x rain", "dog y rain"],
            prompts.Sets.Select(set => $"{set.Texts[0][2..]}{set.Texts[1]} {(set.Negative!.Equals(Chunks("fog")) ? "fog" : "rain")}"));
        Assert.Equal(Chunks("a dog"), prompts.Sets[2].Parts[0]);
        Assert.Empty(prompts.Notices);
    }

    [Fact]
    public void Of_OfVersionsWithTheSameTokens_HasOneSet()
    {
        Assert.Single(Of("a [big:BIG:3] cat").Sets);
        Assert.Single(Of("a [  |]cat").Sets);
        // What guidance does not use makes no sets.
        var request = new PictureRequest { Prompt = "a cat", NegativePrompt = "[fog|rain]" };
        Assert.Equal(2, RequestPrompts.Of(request).Sets.Count);
        Assert.Single(RequestPrompts.Of(request with { GuidanceScale = 1 }).Sets);
    }

    [Fact]
    public void Of_OfVersionsOfDifferentLength_MakesThemEquallyLong()
    {
        RequestPrompts prompts = Of($"a [{Words(80)}:sea:0.5]", "fog");
        Assert.Equal(2, prompts.Sets.Count);
        Assert.All(prompts.Sets, set => Assert.Equal((2, 2), (set.Parts[0].Count, set.Negative!.Count)));
        Assert.Equal(Chunks("a sea").PadTo(2), prompts.Sets[1].Parts[0]);
    }

    [Fact]
    public void Of_OfMoreThan64Combinations_IsRefused()
    {
        string seven = "[1|2|3|4|5|6|7]", eight = "[1|2|3|4|5|6|7|8]", nine = "[1|2|3|4|5|6|7|8|9]";
        Assert.Equal(56, Of(seven + " AND " + eight, steps: 1000).Sets.Count);
        Assert.Throws<PromptException>(() => Of(seven + " AND " + nine + " AND " + eight, steps: 1000));
        var exception = Assert.Throws<PromptException>(() => Of(eight, nine, steps: 1000));
        Assert.Contains("more than 64 versions", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_OfUnreadableEditing_SaysSo()
    {
        string notice = Assert.Single(Of("red | blue [cat:dog:3]").Notices);
        Assert.Contains("none of its prompt editing and alternation is read", notice, StringComparison.Ordinal);
        Assert.Empty(Of("red | blue").Notices);
        Assert.Contains("an unclosed bracket", Assert.Single(Of("a [cat").Notices), StringComparison.Ordinal);
        // The same sentence about two versions is said once.
        Assert.Single(Of("(a [cat:dog:0.5]").Notices);
    }

    [Theory]
    [InlineData(1, 3, 3)]
    [InlineData(2, 3, 6)]
    [InlineData(6, 4, 12)]
    [InlineData(7, 9, 63)]
    [InlineData(64, 1, 64)]
    public void Of_OfComfyUIsPromptsOfDifferentLength_RepeatsThem(int one, int other, int expected)
    {
        RequestPrompts prompts = OfComfy(Words(75 * one), Words(75 * other - 10));
        Assert.Equal(expected, prompts.Chunks);
        Assert.Empty(prompts.Notices);
        PromptChunks prompt = prompts.Sets[0].Parts[0], negative = prompts.Sets[0].Negative!;
        Assert.Equal((expected, expected), (prompt.Count, negative.Count));
        for (int chunk = 0; chunk < expected; chunk++)
        {
            Assert.Equal(prompt.ClipL(chunk % one), prompt.ClipL(chunk));
            Assert.Equal(negative.ClipL(chunk % other), negative.ClipL(chunk));
        }
    }

    [Fact]
    public void Of_OfComfyUIsPromptsWithoutACommonMultiple_PadsWithANotice()
    {
        RequestPrompts prompts = OfComfy(Words(75 * 9), Words(75 * 8));
        Assert.Equal(9, prompts.Chunks);
        Assert.Equal(ChunkIds.ClipL([]), prompts.Sets[0].Negative!.ClipL(8));
        Assert.Contains("9 and 8 chunks", Assert.Single(prompts.Notices), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_InTheOtherSyntaxes_TakesEditingAndPartsForText()
    {
        foreach (PromptSyntax syntax in (PromptSyntax[])[PromptSyntax.Comfy, PromptSyntax.Plain])
        {
            const string prompt = "a [cat:dog:0.5] AND [x|y]";
            var prompts = RequestPrompts.Of(new PictureRequest { Prompt = prompt, PromptSyntax = syntax });
            Assert.Equal(PromptChunks.Of(PromptTokenizer.Encode(prompt)), Assert.Single(prompts.Sets).Parts[0]);
            Assert.Single(prompts.Notices);
        }
    }

    private static void AssertPlain(string prompt)
    {
        RequestPrompts read = Of(prompt, prompt);
        var plain = RequestPrompts.Of(new PictureRequest { Prompt = prompt, NegativePrompt = prompt, PromptSyntax = PromptSyntax.Plain });
        Assert.Equal(plain.Sets[0].Parts[0], Assert.Single(read.Sets).Parts[0]);
        Assert.Equal(plain.Sets[0].Negative, read.Sets[0].Negative);
        Assert.Equal(plain.Weights, read.Weights);
    }

    private static RequestPrompts Of(string prompt, string negative = "", int steps = 30) =>
        RequestPrompts.Of(new PictureRequest { Prompt = prompt, NegativePrompt = negative, Steps = steps });

    private static RequestPrompts OfComfy(string prompt, string negative) =>
        RequestPrompts.Of(new PictureRequest { Prompt = prompt, NegativePrompt = negative, PromptSyntax = PromptSyntax.Comfy });

    private static PromptChunks Chunks(string text) => PreparedPrompt.Of(text, "prompt").Chunks;

    private static string Words(int count) => string.Join(' ', Enumerable.Repeat("star", count));
}
