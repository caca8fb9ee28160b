using MuseAtelier.Adapters;
using MuseAtelier.Conditioning;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Conditioning;

/// <summary>Embeddings (textual inversion) that prompts name: their places among the tokens.</summary>
public sealed class EmbeddingPromptTests : IDisposable
{
    private const int First = TextChunk.Vocabulary;

    private readonly TemporaryFolder _folder = new();
    private readonly EmbeddingFolder _embeddings;

    public EmbeddingPromptTests()
    {
        EmbeddingWriter.WriteSmall(_folder["all/ink.safetensors"], 3);
        EmbeddingWriter.WriteSmall(_folder["all/ink-wash style.safetensors"], 2, first: 50);
        EmbeddingWriter.WriteSmall(_folder["all/sub/moss.safetensors"], 10, first: 70);
        EmbeddingWriter.WriteSmall(_folder["all/whole.safetensors"], 75, first: 90);
        var old = new RawCheckpoint();
        old.SetSingles("emb_params", new float[768], 1, 768);
        old.Write(_folder["all/bad-hands.pt"]);
        _embeddings = new EmbeddingFolder([_folder["all"]]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A1111_OfAName_PutsItsVectorsInItsPlace()
    {
        // "an ink drawing": names are found by their tokens, so case and white space do not matter.
        PromptChunks chunks = A1111("an INK drawing");
        int[] words = [.. A1111("an drawing").ClipL(0)[1..3]];
        Assert.Equal([words[0], First, First + 1, First + 2, words[1], ClipVocabulary.EndOfText], chunks.ClipL(0)[1..7].ToArray());
        Assert.Equal([words[0], First, First + 1, First + 2, words[1], ClipVocabulary.EndOfText, 0], chunks.ClipG(0)[1..8].ToArray());
        Embedding ink = Assert.Single(chunks.Embeddings);
        Assert.Equal("ink", ink.Name);
        Assert.Equal((ink, 2), chunks.VectorOf(First + 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => chunks.VectorOf(First + 3));

        // The tokens of "inks" are others.
        Assert.Empty(A1111("inks").Embeddings);
        // Without folders, and in the plain syntax, the name is text.
        Assert.Empty(PreparedPrompt.Of("an ink drawing", "prompt").Chunks.Embeddings);
        Assert.Empty(Read("an ink drawing", PromptSyntax.Plain).Sets[0].Parts[0].Embeddings);
    }

    [Fact]
    public void A1111_OfNamesThatBeginAlike_TakesTheLongest()
    {
        PromptChunks chunks = A1111("ink-wash style, ink, ink-wash, ink");
        Assert.Equal(["ink-wash style", "ink"], chunks.Embeddings.Select(embedding => embedding.Name));
        int[] vectors = [.. chunks.ClipL(0).ToArray().Where(id => id >= First).Select(id => id - First)];
        Assert.Equal([0, 1, 2, 3, 4, 2, 3, 4, 2, 3, 4], vectors);
    }

    [Fact]
    public void A1111_OfAWeight_WeighsAllVectors()
    {
        PromptChunks chunks = A1111("a (ink:1.5) b");
        Assert.Equal([1, 1, 1.5f, 1.5f, 1.5f, 1, 1], chunks.WeightsOf(0)[..7].ToArray());
    }

    [Fact]
    public void A1111_OfVectorsThatDoNotFit_BeginsAChunk()
    {
        PromptChunks chunks = A1111(Words(70) + "moss end");
        Assert.Equal(2, chunks.Count);
        Assert.Equal(ClipVocabulary.EndOfText, chunks.ClipL(0)[71]);
        Assert.Equal([.. Enumerable.Range(First, 10)], chunks.ClipL(1)[1..11].ToArray());
        Assert.NotEqual(ClipVocabulary.EndOfText, chunks.ClipL(1)[11]);

        // 65 words and 10 vectors are a full chunk.
        Assert.Equal(1, A1111(Words(65) + "moss").Count);
        Assert.Equal(2, A1111("a whole").Count);
        Assert.Equal(1, A1111("whole").Count);
        Assert.Equal([.. Enumerable.Range(First, 75)], A1111("whole").ClipG(0)[1..76].ToArray());
    }

    [Fact]
    public void A1111_OfTheCommaRule_MovesVectorsWithTheirPlaces()
    {
        // 60 words, a comma, 3 vectors, and 12 words: the last word does not fit, so what follows the comma moves.
        PromptChunks chunks = A1111(Words(60) + ", ink " + Words(12));
        Assert.Equal(2, chunks.Count);
        Assert.Equal([267, ClipVocabulary.EndOfText], chunks.ClipL(0)[61..63].ToArray());
        Assert.Equal([First, First + 1, First + 2], chunks.ClipL(1)[1..4].ToArray());
        Assert.DoesNotContain(chunks.ClipL(0).ToArray(), id => id >= First);
    }

    [Fact]
    public void A1111_OfManyNames_ReadsThemAll()
    {
        // Each name has four tokens and two vectors, of which a chunk has room for 37 pairs.
        PromptChunks chunks = A1111(Names(63 * 37) + "moss");
        Assert.Equal(64, chunks.Count);
        Assert.Equal(["ink-wash style", "moss"], chunks.Embeddings.Select(embedding => embedding.Name));
        Assert.Throws<PromptException>(() => A1111(Names(64 * 37) + "moss"));

        static string Names(int count) => string.Concat(Enumerable.Repeat("ink-wash style ", count));
    }

    [Fact]
    public void A1111_OfEditingPartsAndNegative_NamesEmbeddingsEverywhere()
    {
        RequestPrompts prompts = Read("[a cat:ink:0.5] AND moss :0.5", PromptSyntax.A1111, "whole BREAK ink");
        Assert.Equal(2, prompts.Sets.Count);
        Assert.Empty(prompts.Sets[0].Parts[0].Embeddings);
        Assert.Equal("ink", Assert.Single(prompts.Sets[1].Parts[0].Embeddings).Name);
        Assert.Equal("moss", Assert.Single(prompts.Sets[0].Parts[1].Embeddings).Name);
        Assert.Equal(["whole", "ink"], prompts.Sets[0].Negative!.Embeddings.Select(embedding => embedding.Name));
        Assert.Equal(["moss", "whole", "ink"], prompts.Embeddings.Select(embedding => embedding.Name));
    }

    [Fact]
    public void A1111_OfASkippedFile_SaysSo()
    {
        string notice = Assert.Single(Read("bad-hands, bad-hands", PromptSyntax.A1111).Notices);
        Assert.Contains("bad-hands.pt, which is an embedding for SD 1.x", notice, StringComparison.Ordinal);
        Assert.Empty(Read("good-hands", PromptSyntax.A1111).Notices);
    }

    [Fact]
    public void A1111_OfTwoFilesOfOneName_SaysWhichIsUsed()
    {
        EmbeddingWriter.WriteSmall(_folder["all/sub/ink.safetensors"], 1);
        RequestPrompts prompts = Read("ink and ink", PromptSyntax.A1111);
        Assert.Equal(
            "Several embeddings are called ink: all/sub/ink.safetensors is used, not all/ink.safetensors.", Assert.Single(prompts.Notices));
        Assert.Equal(1, Assert.Single(prompts.Embeddings).Count);
        Assert.Equal(prompts.Notices, Read("embedding:ink", PromptSyntax.Comfy).Notices);
    }

    [Theory]
    [InlineData("embedding:ink")]
    [InlineData("embedding:ink.safetensors")]
    [InlineData("embedding:Ink")]
    public void Comfy_OfAName_PutsItsVectorsInItsPlace(string prompt)
    {
        PromptChunks chunks = Comfy(prompt);
        Assert.Equal([First, First + 1, First + 2, ClipVocabulary.EndOfText], chunks.ClipL(0)[1..5].ToArray());
    }

    [Fact]
    public void Comfy_OfNamesWithinText_KeepsTheText()
    {
        int[] words = [.. Comfy("a b , c").ClipL(0)[1..5]];
        PromptChunks chunks = Comfy("a embedding:ink b\nembedding:sub/moss, (embedding:ink:1.5) c");
        int[] ink = [First, First + 1, First + 2];
        int[] expected =
        [
            words[0], .. ink, words[1], .. Enumerable.Range(First + 3, 10), words[2], .. ink, words[3],
        ];
        Assert.Equal(expected, chunks.ClipL(0)[1..(expected.Length + 1)].ToArray());
        Assert.Equal([1, 1.5f, 1.5f, 1.5f, 1], chunks.WeightsOf(0)[(expected.Length - 4)..(expected.Length + 1)].ToArray());
        Assert.Empty(Read("a embedding:ink", PromptSyntax.Comfy).Notices);

        // In the middle of a word, and without a name, it is text. A name in the text alone is text too.
        Assert.Empty(Comfy("a,embedding:ink").Embeddings);
        Assert.Empty(Comfy("ink embedding: ").Embeddings);
    }

    [Fact]
    public void Comfy_OfVectorsThatDoNotFit_SplitsThemIfTheyAreMany()
    {
        // Fewer than eight positions stay together.
        PromptChunks few = Comfy(Words(73) + "embedding:ink");
        Assert.Equal((ClipVocabulary.EndOfText, First), (few.ClipL(0)[74], few.ClipL(1)[1]));
        PromptChunks many = Comfy(Words(73) + "embedding:moss");
        Assert.Equal((First + 1, First + 2), (many.ClipL(0)[75], many.ClipL(1)[1]));
    }

    [Fact]
    public void Comfy_OfAMissingName_IsRefusedWithTheNearest()
    {
        var exception = Assert.Throws<EmbeddingNotFoundException>(() => Comfy("a embedding:mos, b"));
        Assert.Equal("mos", exception.Name);
        Assert.Equal(["moss"], exception.Nearest);
        Assert.Throws<EmbeddingKindException>(() => Comfy("embedding:bad-hands"));

        // Without folders, it is text, and a notice says so.
        var without = RequestPrompts.Of(new PictureRequest { Prompt = "a embedding:mos", PromptSyntax = PromptSyntax.Comfy });
        Assert.Contains("embeddings such as embedding:mos", Assert.Single(without.Notices), StringComparison.Ordinal);
    }

    [Fact]
    public void Equals_OfChunksWithOtherVectors_IsFalse()
    {
        PromptChunks before = A1111("ink");
        Assert.Equal(before, A1111("INK"));
        Assert.Equal(before.GetHashCode(), A1111("INK").GetHashCode());
        EmbeddingWriter.WriteSmall(_folder["all/ink.safetensors"], 3, first: 7);
        File.SetLastWriteTimeUtc(_folder["all/ink.safetensors"], DateTime.UtcNow.AddMinutes(1));
        PromptChunks after = A1111("ink");
        Assert.Equal(before.ClipL(0), after.ClipL(0));
        Assert.NotEqual(before, after);
        Assert.Equal(before.Embeddings, before.PadTo(2).Embeddings);
        Assert.Equal(before.Embeddings, before.RepeatTo(2).Embeddings);
    }

    private PromptChunks A1111(string prompt) => Read(prompt, PromptSyntax.A1111).Sets[0].Parts[0];

    private PromptChunks Comfy(string prompt) => Read(prompt, PromptSyntax.Comfy).Sets[0].Parts[0];

    private RequestPrompts Read(string prompt, PromptSyntax syntax, string negative = "") => RequestPrompts.Of(
        new PictureRequest
        {
            Prompt = prompt,
            NegativePrompt = negative,
            PromptSyntax = syntax,
            GuidanceScale = negative.Length == 0 ? 0 : 7,
            Steps = 4,
        },
        folder: _embeddings);

    private static string Words(int count) => string.Concat(Enumerable.Repeat("word ", count));
}
