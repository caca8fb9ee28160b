using System.Text.Json;
using MuseAtelier.Conditioning;
using MuseAtelier.Format;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Conditioning;

/// <summary>The chunks of weighted and long prompts.</summary>
public sealed class WeightedChunksTests
{
    [Fact]
    public void Of_OfTheReferencePrompts_GivesTheirIdsAndWeights()
    {
        foreach (JsonElement sample in GoldenFiles.Prompts.Notes.GetProperty("weighted").EnumerateArray())
        {
            PromptChunks chunks = A1111(sample.GetProperty("prompt").GetString()!, commaBacktrack: 0);
            Assert.Equal(sample.GetProperty("chunks").GetInt32(), chunks.Count);
            int[] ids = [.. sample.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
            float[] weights = [.. sample.GetProperty("weights").EnumerateArray().Select(weight => (float)weight.GetDouble())];
            for (int chunk = 0; chunk < chunks.Count; chunk++)
            {
                int first = chunk * TextChunk.Capacity, count = Math.Min(TextChunk.Capacity, ids.Length - first);
                Assert.Equal(ChunkIds.ClipL(ids.AsSpan(first, count)), chunks.ClipL(chunk));
                Assert.Equal(ChunkIds.ClipG(ids.AsSpan(first, count)), chunks.ClipG(chunk));
                float[] expected = [1, .. weights.AsSpan(first, count), .. Enumerable.Repeat(1f, 76 - count)];
                Assert.Equal(expected, chunks.WeightsOf(chunk));
            }
        }
    }

    [Theory]
    [InlineData(0, "75 6")]
    [InlineData(20, "71 10")]
    [InlineData(5, "71 10")]
    [InlineData(4, "75 6")]
    public void Of_OfACommaNearTheEnd_MovesWhatFollowsIt(int backtrack, string expected) =>
        Assert.Equal(expected, Sizes(A1111(Words(70) + ", " + Words(10), backtrack)));

    [Theory]
    // The comma is the chunk's last token, so the rule moves nothing.
    [InlineData(74, 10, "75 10")]
    // The comma does not fit and begins the next chunk.
    [InlineData(75, 10, "75 11")]
    // A chunk that is exactly full is the last one.
    [InlineData(70, 4, "75")]
    [InlineData(54, 30, "75 10")]
    [InlineData(55, 30, "56 30")]
    public void Of_OfACommaAtTheBorder_FollowsTheRuleOf20(int before, int after, string expected) =>
        Assert.Equal(expected, Sizes(A1111(Words(before) + ", " + Words(after))));

    [Theory]
    [InlineData("a BREAK b", "1 1")]
    [InlineData("a b BREAK", "2")]
    [InlineData("BREAK a", "0 1")]
    [InlineData("a BREAK BREAK b", "1 0 1")]
    [InlineData("", "0")]
    public void Of_OfBreaks_EndsChunks(string prompt, string expected) => Assert.Equal(expected, Sizes(A1111(prompt)));

    [Theory]
    [InlineData(70, 7, "70 7")]
    [InlineData(70, 8, "75 3")]
    [InlineData(70, 5, "75")]
    [InlineData(75, 90, "75 75 15")]
    public void Of_OfComfyUIsSpans_SplitsOnlyTheLongOnes(int before, int weighted, string expected) =>
        Assert.Equal(expected, Sizes(Comfy($"{Words(before)} ({Words(weighted)}:1.5)")));

    [Fact]
    public void Of_OfNeutralWeights_EqualsThePlainPrompt()
    {
        PromptChunks plain = PreparedPrompt.Of("a starry night", "prompt", new PromptSettings(PromptSyntax.Plain)).Chunks;
        Assert.Equal(plain, A1111("a starry night"));
        Assert.Equal(plain, Comfy("a starry night"));
        Assert.Equal(plain, Comfy("a (starry:1) night"));
        Assert.NotEqual(A1111("a (starry) night"), plain);
        Assert.NotEqual(A1111("a (starry) night"), Comfy("a (starry) night"));
    }

    [Theory]
    [InlineData(PromptSyntax.A1111)]
    [InlineData(PromptSyntax.Comfy)]
    public void Of_Of64Chunks_IsTakenAndOfOneTokenMoreRefused(PromptSyntax syntax)
    {
        PreparedPrompt most = PreparedPrompt.Of(Words(64 * 75), "prompt", new PromptSettings(syntax));
        Assert.Equal(64, most.Chunks.Count);
        Assert.Empty(most.Notices);
        foreach (int words in (int[])[64 * 75 + 1, 65 * 75, 30_000])
        {
            var exception = Assert.Throws<PromptException>(() => PreparedPrompt.Of(
                Words(words), "negative prompt", new PromptSettings(syntax)));
            Assert.Contains("the negative prompt takes more than 64 chunks", exception.Message, StringComparison.Ordinal);
            Assert.Contains("at most 64 chunks, which are 4800 tokens", exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Of_OfTooManyBreaks_IsRefused()
    {
        Assert.Equal(64, A1111(string.Join(" BREAK ", Enumerable.Repeat("a", 64))).Count);
        Assert.Throws<PromptException>(() => A1111(string.Join(" BREAK ", Enumerable.Repeat("a", 65))));
    }

    // The tokens of a long word are encoded window by window; a chunk must not change them.
    [Fact]
    public void Of_OfALongWord_GivesTheTokensOfTheWholeWord()
    {
        var random = new Random(5);
        string word = string.Concat(Enumerable.Range(0, 3000).Select(_ => (char)random.Next('a', 'z' + 1)));
        var reading = new PromptReading(new ClipVocabulary(), word, 4800, int.MaxValue);
        reading.Run();
        Assert.True(reading.IsComplete);
        PromptChunks chunks = A1111(word);
        int[] ids = [.. Enumerable.Range(0, chunks.Count).SelectMany(chunk => chunks.ClipL(chunk)[1..76].ToArray())];
        Assert.Equal(reading.Ids, ids.Take(reading.Ids.Count));
        Assert.Equal((reading.Ids.Count + 74) / 75, chunks.Count);
    }

    [Fact]
    public void Of_OfARequest_PadsTheShorterPromptWithEmptyChunks()
    {
        var request = new PictureRequest { Prompt = Words(160), NegativePrompt = "(blurry:1.3)", PromptSyntax = PromptSyntax.A1111 };
        var prompts = RequestPrompts.Of(request);
        PromptSet set = Assert.Single(prompts.Sets);
        PromptChunks negative = set.Negative!;
        Assert.Equal((3, 3, 3), (Assert.Single(set.Parts).Count, negative.Count, prompts.Chunks));
        Assert.Equal(A1111("(blurry:1.3)").ClipL(0), negative.ClipL(0));
        Assert.Equal(1.3f, negative.Weights[1]);
        for (int chunk = 1; chunk < 3; chunk++)
        {
            Assert.Equal(ChunkIds.ClipL([]), negative.ClipL(chunk));
            Assert.Equal(ChunkIds.ClipG([]), negative.ClipG(chunk));
            Assert.True(TokenWeights.AreNeutral(negative.WeightsOf(chunk)));
        }

        var swapped = RequestPrompts.Of(request with { Prompt = "a", NegativePrompt = Words(160) });
        Assert.Equal((3, 3), (swapped.Sets[0].Parts[0].Count, swapped.Sets[0].Negative!.Count));
        // A negative prompt that is not used needs no room.
        Assert.Equal(1, RequestPrompts.Of(request with { Prompt = "a", NegativePrompt = Words(160), GuidanceScale = 1 }).Chunks);
        Assert.Equal(1, RequestPrompts.Of(request with { PromptSyntax = PromptSyntax.Plain }).Chunks);
    }

    private static string Words(int count) => string.Join(' ', Enumerable.Repeat("star", count));

    private static PromptChunks A1111(string prompt, int commaBacktrack = A1111Chunks.DefaultCommaBacktrack) => PreparedPrompt.Of(
        prompt, "prompt", new PromptSettings(CommaBacktrack: commaBacktrack)).Chunks;

    private static PromptChunks Comfy(string prompt) =>
        PreparedPrompt.Of(prompt, "prompt", new PromptSettings(PromptSyntax.Comfy)).Chunks;

    // The tokens of text in each chunk.
    private static string Sizes(PromptChunks chunks) => string.Join(' ',
        Enumerable.Range(0, chunks.Count).Select(chunk => chunks.ClipL(chunk).IndexOf(ClipVocabulary.EndOfText) - 1));
}
