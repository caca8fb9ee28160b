using System.Text.Json;
using System.Text.Json.Nodes;
using MuseAtelier.Cli;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Cli;

public sealed class TokensCommandTests
{
    [Fact]
    public async Task Tokens_OfTheGoldenPromptsInAFile_GivesTheirIdsLineByLine()
    {
        using var folder = new TemporaryFolder();
        GoldenFile golden = GoldenFiles.Miniature;
        string path = folder["prompts.jsonl"];
        File.WriteAllLines(path, golden.Prompts.Select(prompt => JsonSerializer.Serialize(prompt)));
        MuseResult result = await Muse.RunAsync("tokens", "--file", path, "--json");
        Assert.Equal(0, result.Code);
        int[][] clipL = golden.Rows("tokens_l"), clipG = golden.Rows("tokens_g_pad0");
        Assert.Equal(clipL.Length, result.Lines.Length);
        for (int i = 0; i < clipL.Length; i++)
        {
            JsonObject line = JsonNode.Parse(result.Lines[i])!.AsObject();
            Assert.Equal(["clip_l", "clip_g"], line.Select(member => member.Key));
            Assert.Equal(clipL[i], line["clip_l"]!.AsArray().GetValues<int>());
            Assert.Equal(clipG[i], line["clip_g"]!.AsArray().GetValues<int>());
        }
    }

    [Fact]
    public async Task Tokens_OfALongPrompt_ShowsWhatFallsOff()
    {
        MuseResult result = await Muse.RunAsync("tokens", string.Join(' ', Enumerable.Repeat("night", 76)) + " cathedral");
        Assert.Equal(0, result.Code);
        Assert.Contains("75 of 75 tokens, 2 more cut off", result.Out, StringComparison.Ordinal);
        Assert.Contains("cut off: night cathedral", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tokens_InAnotherSyntax_ShowsChunksAndWeights()
    {
        MuseResult result = await Muse.RunAsync("tokens", "a (vase:1.25) BREAK [sea", "--prompt-syntax", "a1111");
        Assert.Equal(0, result.Code);
        Assert.Contains("3 tokens in 2 chunks of 75", result.Out, StringComparison.Ordinal);
        Assert.Contains("1.25", result.Out, StringComparison.Ordinal);
        Assert.Contains("0.909", result.Out, StringComparison.Ordinal);
        Assert.Contains("notice: The prompt has 1 unclosed brackets", result.Error, StringComparison.Ordinal);

        MuseResult json = await Muse.RunAsync("tokens", "a (vase:1.25)", "--prompt-syntax", "comfy", "--json");
        JsonNode chunk = Assert.Single(JsonNode.Parse(json.Out)!["chunks"]!.AsArray())!;
        Assert.Equal([49406, 320, 20431, 49407], chunk["clip_l"]!.AsArray().Take(4).Select(id => (int)id!));
        Assert.Equal([1, 1, 1.25f, 1], chunk["weights"]!.AsArray().Take(4).Select(weight => (float)weight!));
        Assert.Equal(77, chunk["clip_g"]!.AsArray().Count);

        (await Muse.RunAsync("tokens", "(a:1.2.3)", "--prompt-syntax", "a1111")).AssertFailed(1, "1.2.3");
        (await Muse.RunAsync("tokens", "a", "--prompt-syntax", "latin")).AssertFailed(2, "a1111");
    }

    [Fact]
    public async Task Tokens_OfAMillionCharactersInALine_SaysAtLeastHowManyFallOff()
    {
        using var folder = new TemporaryFolder();
        string[] prompts =
        [
            string.Concat(Enumerable.Repeat("🌌", 500_000)),
            string.Concat(Enumerable.Repeat("\uD83C", 1_000_000)),
            "night",
        ];
        // Unpaired surrogates can be written in escapes only.
        IEnumerable<string> written = prompts.Select(prompt => prompt.Replace("\uD83C\uD83C", "\\ud83c\\ud83c", StringComparison.Ordinal));
        File.WriteAllLines(folder["prompts.jsonl"], written.Select(prompt => $"\"{prompt}\""));
        MuseResult result = await Muse.RunAsync("tokens", "--file", folder["prompts.jsonl"]);
        Assert.Equal(0, result.Code);
        Assert.Equal(3, result.Lines.Length);
        Assert.All(result.Lines[..2], line => Assert.StartsWith("75 of 75 tokens, at least ", line, StringComparison.Ordinal));
        Assert.StartsWith("1 of 75 tokens: night", result.Lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tokens_OfAPromptThatBeginsWithAt_TakesItAsAPrompt()
    {
        MuseResult result = await Muse.RunAsync("tokens", "@night");
        Assert.Equal(0, result.Code);
        Assert.Contains("2 of 75 tokens", result.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"a\"\nnight\n", "line 2", "not a JSON string")]
    [InlineData("null\n", "line 1", "null")]
    [InlineData("{}\n", "line 1", "not a JSON string")]
    [InlineData("\"a\"\n\n\"b\"", "line 2", "not a JSON string")]
    public async Task Tokens_OfAFileWithABadLine_EndsWith1AndNamesTheLine(string content, params string[] words)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["prompts.jsonl"], content);
        (await Muse.RunAsync("tokens", "--file", folder["prompts.jsonl"])).AssertFailed(1, words);
    }

    [Fact]
    public async Task Tokens_OfAMissingFile_EndsWith1AndNamesTheFile() =>
        (await Muse.RunAsync("tokens", "--file", "nowhere.jsonl")).AssertFailed(1, "nowhere.jsonl");

    [Theory]
    [InlineData(@"""a \ud800 b""", @"""a \uFFFD b""")]
    [InlineData(@"""\uD83C\uDF0C""", @"""\uD83C\uDF0C""")]
    [InlineData(@"""\udf0c\ud83c""", @"""\uFFFD\uFFFD""")]
    [InlineData(@"""\\ud800""", @"""\\ud800""")]
    [InlineData(@"""\ud83c\ud83c\udf0c""", @"""\uFFFD\ud83c\udf0c""")]
    public void ReplaceUnpaired_OfEscapes_KeepsPairsAlone(string json, string expected) =>
        Assert.Equal(expected, PromptLines.ReplaceUnpaired(json));
}
