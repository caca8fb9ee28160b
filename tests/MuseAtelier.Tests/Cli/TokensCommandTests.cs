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
        MuseResult result = await Muse.RunAsync("tokens", "--file", path, "--json", "--prompt-syntax", "plain");
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
        string prompt = string.Join(' ', Enumerable.Repeat("night", 76)) + " cathedral";
        MuseResult result = await Muse.RunAsync("tokens", prompt, "--prompt-syntax", "plain");
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
        Assert.Contains("notice: The prompt has an unclosed bracket,", result.Error, StringComparison.Ordinal);

        MuseResult json = await Muse.RunAsync("tokens", "a (vase:1.25)", "--prompt-syntax", "comfy", "--json");
        JsonNode chunk = Assert.Single(JsonNode.Parse(json.Out)!["chunks"]!.AsArray())!;
        Assert.Equal([49406, 320, 20431, 49407], chunk["clip_l"]!.AsArray().Take(4).Select(id => (int)id!));
        Assert.Equal([1, 1, 1.25f, 1], chunk["weights"]!.AsArray().Take(4).Select(weight => (float)weight!));
        Assert.Equal(77, chunk["clip_g"]!.AsArray().Count);

        (await Muse.RunAsync("tokens", "(a:1.2.3)", "--prompt-syntax", "a1111")).AssertFailed(1, "1.2.3");
        (await Muse.RunAsync("tokens", "a", "--prompt-syntax", "latin")).AssertFailed(2, "a1111");
    }

    [Fact]
    public async Task Tokens_OfAPromptWithoutSyntax_GivesThePlainIdsAndTheChunk()
    {
        JsonObject plain = JsonNode.Parse((await Muse.RunAsync("tokens", "a sea", "--json", "--prompt-syntax", "plain")).Out)!.AsObject();
        JsonObject read = JsonNode.Parse((await Muse.RunAsync("tokens", "a sea", "--json")).Out)!.AsObject();
        Assert.Equal(["clip_l", "clip_g", "chunks"], read.Select(member => member.Key));
        foreach (string encoder in (string[])["clip_l", "clip_g"])
        {
            Assert.Equal(plain[encoder]!.ToJsonString(), read[encoder]!.ToJsonString());
            Assert.Equal(plain[encoder]!.ToJsonString(), Assert.Single(read["chunks"]!.AsArray())![encoder]!.ToJsonString());
        }
    }

    [Fact]
    public async Task Tokens_OfPartsAndEditing_ShowsWhatEachStepSees()
    {
        string[] prompt = ["tokens", "a [cat:dog:0.5] AND (fog:1.3) :0.5", "--steps", "8"];
        MuseResult result = await Muse.RunAsync(prompt);
        Assert.Equal(0, result.Code);
        string[] heads = [.. result.Lines.Where(line => line.Split(' ')[0] is "steps" or "part")];
        Assert.Equal(
            [
                "steps 1-5", "part 1 of 2, weight 1: a cat", "part 2 of 2, weight 0.5: (fog:1.3)",
                "steps 6-8", "part 1 of 2, weight 1: a dog", "part 2 of 2, weight 0.5: (fog:1.3)",
            ],
            heads);

        JsonArray sets = JsonNode.Parse((await Muse.RunAsync([.. prompt, "--json"])).Out)!["sets"]!.AsArray();
        Assert.Equal(2, sets.Count);
        Assert.Equal([6, 7, 8], sets[1]!["steps"]!.AsArray().GetValues<int>());
        JsonNode part = sets[1]!["parts"]![1]!;
        Assert.Equal(0.5, (double)part["weight"]!);
        Assert.Equal("(fog:1.3)", part["text"]!.GetValue<string>().Trim());
        Assert.Equal([1, 1.3f, 1], part["chunks"]![0]!["weights"]!.AsArray().Take(3).Select(weight => (float)weight!));
        Assert.Equal([320, 1929], sets[1]!["parts"]![0]!["chunks"]![0]!["clip_l"]!.AsArray().Skip(1).Take(2).Select(id => (int)id!));

        MuseResult cycle = await Muse.RunAsync("tokens", "[a|b]", "--steps", "5");
        Assert.Equal(["steps 1-2, 4", "steps 3, 5"], cycle.Lines.Where(line => line.StartsWith("steps", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Tokens_OfManyPrompts_CountsChunksPartsAndVersions()
    {
        using var folder = new TemporaryFolder();
        string words = string.Join(' ', Enumerable.Repeat("night", 76));
        File.WriteAllLines(folder["prompts.jsonl"], [$"\"{words}\"", "\"a AND [b|c]\"", "\"(a\"", "\"(a:1.2.3)\""]);
        MuseResult result = await Muse.RunAsync("tokens", "--file", folder["prompts.jsonl"]);
        Assert.Equal(1, result.Code);
        Assert.Contains("error: the prompt of line 4 has the weight '1.2.3'", result.Error, StringComparison.Ordinal);
        Assert.StartsWith("76 tokens in 2 chunks of 75: night", result.Lines[0], StringComparison.Ordinal);
        Assert.StartsWith(
            "1 token in 1 chunk of 75, first of 2 parts, first of 2 versions: a AND", result.Lines[1], StringComparison.Ordinal);
        Assert.Contains("notice: The prompt of line 3 has an unclosed", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("20", "71 10")]
    [InlineData("0", "75 6")]
    public async Task Tokens_WithACommaRule_FillsChunksByIt(string backtrack, string expected)
    {
        string prompt = string.Join(' ', Enumerable.Repeat("star", 70)) + ", " + string.Join(' ', Enumerable.Repeat("star", 10));
        MuseResult result = await Muse.RunAsync("tokens", prompt, "--json", "--comma-backtrack", backtrack);
        IEnumerable<int> sizes = JsonNode.Parse(result.Out)!["chunks"]!.AsArray()
            .Select(chunk => chunk!["clip_l"]!.AsArray().GetValues<int>().TakeWhile(id => id != 49407).Count() - 1);
        Assert.Equal(expected, string.Join(' ', sizes));
        (await Muse.RunAsync("tokens", "a", "--comma-backtrack", "76")).AssertFailed(2, "comma-backtrack");
        (await Muse.RunAsync("tokens", "a", "--steps", "0")).AssertFailed(2, "steps");
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
        MuseResult result = await Muse.RunAsync("tokens", "--file", folder["prompts.jsonl"], "--prompt-syntax", "plain");
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
        Assert.Contains("2 tokens in 1 chunk of 75", result.Out, StringComparison.Ordinal);
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
