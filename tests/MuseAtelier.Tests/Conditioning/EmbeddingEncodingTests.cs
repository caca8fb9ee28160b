using MuseAtelier.Adapters;
using MuseAtelier.Checking;
using MuseAtelier.Conditioning;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Conditioning;

/// <summary>What the text encoders make of embeddings (textual inversion), compared with the same vectors as tokens of the model.</summary>
public sealed class EmbeddingEncodingTests(TestAtelier miniature) : IDisposable
{
    private const string TableL = "conditioner.embedders.0.transformer.text_model.embeddings.token_embedding.weight";
    private const string TableG = "conditioner.embedders.1.model.token_embedding.weight";

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(PromptSyntax.A1111)]
    [InlineData(PromptSyntax.Comfy)]
    public void Encode_OfTheVectorsOfWords_GivesTheStatesOfTheWords(PromptSyntax syntax)
    {
        const string words = "starry night";
        int[] ids = [.. PreparedPrompt.Of(words, "prompt").Chunks.ClipL(0)[1..3]];
        RawCheckpoint raw = RawCheckpoint.Miniature();
        Write("zorp", Rows(raw, TableL, ids), Rows(raw, TableG, ids), 2);
        using OpenedModel model = OpenedModel.Open(miniature.Atelier.Model.Package, TestAtelier.Options, null, Cancellation);
        using var encoder = new TextConditioner(model.Package, model.Sessions, model.Device);

        string name = syntax == PromptSyntax.Comfy ? "embedding:zorp" : "Zorp";
        PromptEmbeds expected = Encode($"a ({words}:1.3) over a city");
        // A text without embeddings before and after it does not change.
        PromptEmbeds found = Encode($"a ({name}:1.3) over a city");
        Assert.Equal(expected.Hidden, found.Hidden);
        Assert.Equal(expected.Pooled, found.Pooled);
        encoder.Release();
        Assert.Equal(expected.Hidden, Encode($"a ({words}:1.3) over a city ").Hidden);

        PromptEmbeds Encode(string prompt) => encoder.Encode(ChunksOf(prompt, syntax), model.Options, Cancellation);
    }

    [Fact]
    public async Task Encode_OfOtherVectors_GivesTheStatesOfAModelThatHasThem()
    {
        // The rows of four words of the other model are the vectors.
        const string words = "lantern violin harbour meadow";
        int[] ids = [.. PreparedPrompt.Of(words, "prompt").Chunks.ClipL(0)[1..5]];
        RawCheckpoint raw = RawCheckpoint.Miniature();
        var random = new Random(5);
        float[] clipL = Replace(raw, TableL, ids, random), clipG = Replace(raw, TableG, ids, random);
        Write("zorp", clipL, clipG, 4);
        await using Atelier other = await Atelier.OpenAsync(
            raw.Write(_folder["other.safetensors"]), TestAtelier.Options with { CacheFolder = _folder["cache"] },
            cancellationToken: Cancellation);
        using OpenedModel model = OpenedModel.Open(miniature.Atelier.Model.Package, TestAtelier.Options, null, Cancellation);
        using OpenedModel with = OpenedModel.Open(other.Model.Package, TestAtelier.Options, null, Cancellation);
        using var encoder = new TextConditioner(model.Package, model.Sessions, model.Device);
        using var otherEncoder = new TextConditioner(with.Package, with.Sessions, with.Device);

        PromptEmbeds expected = otherEncoder.Encode(ChunksOf($"a {words} and {words}, gold"), with.Options, Cancellation);
        PromptEmbeds found = encoder.Encode(ChunksOf("a zorp and zorp, gold"), model.Options, Cancellation);
        PromptEmbeds plain = encoder.Encode(ChunksOf($"a {words} and {words}, gold"), model.Options, Cancellation);
        Assert.Equal(0, Distance(expected.Hidden, found.Hidden), 1e-5);
        Assert.Equal(0, Distance(expected.Pooled, found.Pooled), 1e-5);
        Assert.True(Distance(plain.Hidden, found.Hidden) > 0.1);
    }

    [Fact]
    public async Task GenerateAsync_WithEmbeddings_NamesThemByDigest()
    {
        RawCheckpoint raw = RawCheckpoint.Miniature();
        Write("zorp", Rows(raw, TableL, [320, 1000]), Rows(raw, TableG, [320, 1000]), 2);
        Write("narrow", [1, 2], [1, 2], 1);
        await using Atelier atelier = await miniature.OpenAsync(
            TestAtelier.Options with { EmbeddingFolders = [_folder["embeddings"]] });
        PictureRequest request = TestAtelier.Small with { Steps = 1, NegativePrompt = "zorp", Prompt = "a night" };
        using Picture with = await atelier.GenerateAsync(request, cancellationToken: Cancellation);
        UsedEmbedding used = Assert.Single(with.Provenance.Embeddings);
        Assert.Equal("zorp", used.Name);
        Assert.Equal(Format.Sha256.Hash(File.ReadAllBytes(_folder["embeddings/zorp.safetensors"])), used.Sha256);

        using Picture without = await atelier.GenerateAsync(request with { NegativePrompt = "blur" }, cancellationToken: Cancellation);
        Assert.Empty(without.Provenance.Embeddings);
        Assert.NotEqual(with.Provenance.StepHashes[^1], without.Provenance.StepHashes[^1]);

        // Vectors of other widths are refused before the request waits.
        var exception = await Assert.ThrowsAsync<EmbeddingShapeException>(
            () => atelier.GenerateAsync(request with { Prompt = "narrow" }, cancellationToken: Cancellation));
        Assert.Equal(("clip_l", 2L), (exception.Tensor, exception.Shape[1]));
    }

    private PromptChunks ChunksOf(string prompt, PromptSyntax syntax = PromptSyntax.A1111) => RequestPrompts.Of(
        new PictureRequest { Prompt = prompt, PromptSyntax = syntax, GuidanceScale = 0 },
        folder: new EmbeddingFolder([_folder["embeddings"]])).Sets[0].Parts[0];

    private void Write(string name, float[] clipL, float[] clipG, int count) =>
        EmbeddingWriter.Write(_folder[$"embeddings/{name}.safetensors"], clipL, clipG, count);

    private static float[] Rows(RawCheckpoint raw, string table, int[] ids)
    {
        float[] values = raw.Floats(table);
        int width = (int)raw.Tensors[table].Shape[1];
        return [.. ids.SelectMany(id => values.AsSpan(id * width, width).ToArray())];
    }

    // Fills rows of a table with random numbers, and returns them as the table holds them.
    private static float[] Replace(RawCheckpoint raw, string table, int[] ids, Random random)
    {
        float[] values = raw.Floats(table);
        long[] shape = raw.Tensors[table].Shape;
        int width = (int)shape[1];
        foreach (int id in ids)
            for (int i = 0; i < width; i++) values[id * width + i] = (random.NextSingle() - 0.5f) * 0.2f;
        raw.SetHalves(table, values, shape);
        return Rows(raw, table, ids);
    }

    private static float Distance(float[] one, float[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Max();
}
