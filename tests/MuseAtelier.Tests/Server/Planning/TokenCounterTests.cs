using MuseAtelier.Adapters;
using MuseAtelier.Server;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Server.Planning;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Planning;

public sealed class TokenCounterTests
{
    private static LoraCatalog NoLoras { get; } =
        new(new ServerOptions { Models = [], Atelier = TestAtelier.Options, Gallery = "/nowhere" });

    [Theory]
    [InlineData("", 0, 75, 1)]
    [InlineData("a cat", 2, 73, 1)]
    [InlineData("a (cat:1.2)", 2, 73, 1)]
    [InlineData("a [cat|dog and a bird]", 5, 70, 1)]
    [InlineData("a cat AND a dog and a bird", 5, 70, 1)]
    [InlineData("a cat BREAK a dog", 4, 73, 2)]
    public async Task CountAsync_OfAPrompt_CountsItsLongestText(string prompt, int tokens, int room, int chunks)
    {
        TokenCounts counts = await CountAsync(prompt, "");
        Assert.Equal((tokens, room, chunks), (counts.Prompt.Tokens, counts.Prompt.Room, counts.Prompt.Chunks));
        Assert.Equal((0, 75, 1), (counts.NegativePrompt.Tokens, counts.NegativePrompt.Room, counts.NegativePrompt.Chunks));
        Assert.Empty(counts.NegativePrompt.Notices);
    }

    [Theory]
    [InlineData(75, 0, 1)]
    [InlineData(76, 74, 2)]
    [InlineData(150, 0, 2)]
    public async Task CountAsync_OfALongPrompt_CountsEachChunk(int words, int room, int chunks)
    {
        string prompt = string.Join(' ', Enumerable.Repeat("cat", words));
        TokenCounts counts = await CountAsync("short", prompt);
        Assert.Equal((words, room, chunks), (counts.NegativePrompt.Tokens, counts.NegativePrompt.Room, counts.NegativePrompt.Chunks));
        Assert.Equal((1, 74, 1), (counts.Prompt.Tokens, counts.Prompt.Room, counts.Prompt.Chunks));
    }

    [Fact]
    public async Task CountAsync_OfALongPlainPrompt_SaysWhereItIsCut()
    {
        string kept = string.Join(' ', Enumerable.Repeat("cat", 75));
        TokenCounts counts = await CountAsync(kept + " dog bird", "(fog:1.2)", PromptSyntax.Plain);
        Assert.Equal((77, 0, 1), (counts.Prompt.Tokens, counts.Prompt.Room, counts.Prompt.Chunks));
        Assert.StartsWith("dog", (kept + " dog bird")[counts.Prompt.CutAt!.Value..].TrimStart(), StringComparison.Ordinal);
        Assert.NotEmpty(counts.Prompt.Notices);
        Assert.NotEmpty(counts.NegativePrompt.Notices);
        Assert.Null(counts.NegativePrompt.CutAt);
    }

    [Fact]
    public async Task CountAsync_OfAPromptThatCannotBeRead_Fails()
    {
        string prompt = string.Join(' ', Enumerable.Repeat("BREAK", 100));
        await Assert.ThrowsAsync<PromptException>(() => CountAsync(prompt, ""));
    }

    [Fact]
    public async Task CountAsync_OfAnEmbedding_CountsItsVectors()
    {
        using var folder = new TemporaryFolder();
        EmbeddingWriter.WriteSmall(folder["all/ink.safetensors"], 5);
        EmbeddingFolder embeddings = EmbeddingFolder.Of([folder["all"]]);
        TokenCounts counts = await TokenCounter.CountAsync(
            "an ink sea", "ink", PromptSyntax.A1111, NoLoras, embeddings, TestContext.Current.CancellationToken);
        Assert.Equal((7, 5), (counts.Prompt.Tokens, counts.NegativePrompt.Tokens));
    }

    private static Task<TokenCounts> CountAsync(string prompt, string negative, PromptSyntax syntax = PromptSyntax.A1111) =>
        TokenCounter.CountAsync(prompt, negative, syntax, NoLoras, EmbeddingFolder.None, TestContext.Current.CancellationToken);
}
