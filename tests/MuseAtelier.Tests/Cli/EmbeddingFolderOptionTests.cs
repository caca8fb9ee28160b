using System.Text.Json.Nodes;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Cli;

/// <summary>The option <c>--embedding-folder</c>.</summary>
public sealed class EmbeddingFolderOptionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Tokens_OfAnEmbedding_ShowsItsVectors()
    {
        EmbeddingWriter.WriteSmall(_folder["all/ink.safetensors"], 2);
        string[] arguments = ["tokens", "an ink sea", "--embedding-folder", _folder["all"]];
        MuseResult result = await Muse.RunAsync(arguments);
        Assert.Equal(0, result.Code);
        Assert.Contains("ink (embedding, vector 2 of 2)", result.Out, StringComparison.Ordinal);
        Assert.Contains("4 tokens in 1 chunk of 75", result.Out, StringComparison.Ordinal);

        JsonNode json = JsonNode.Parse((await Muse.RunAsync([.. arguments, "--json"])).Out)!;
        Assert.Equal([49406, 550, 49408, 49409, 2102, 49407], json["clip_l"]!.AsArray().Take(6).Select(id => (int)id!));
        JsonNode embedding = Assert.Single(json["embeddings"]!.AsArray())!;
        Assert.Equal(("ink", 2, 49408), ((string?)embedding["name"], (int)embedding["vectors"]!, (int)embedding["firstId"]!));

        string[] folder = ["--embedding-folder", _folder["all"]];
        MuseResult missing = await Muse.RunAsync(["tokens", "embedding:inc", "--prompt-syntax", "comfy", .. folder]);
        missing.AssertFailed(1, "Did you mean ink?");
        (await Muse.RunAsync("tokens", "a", "--embedding-folder", _folder["none"])).AssertFailed(1, "there is no folder");
    }

    [Fact]
    public async Task Render_WithAnEmbedding_IsVerifiedWithItsFolder()
    {
        RawCheckpoint raw = RawCheckpoint.Miniature();
        int widthL = (int)raw.Tensors["conditioner.embedders.0.transformer.text_model.embeddings.token_embedding.weight"].Shape[1];
        int widthG = (int)raw.Tensors["conditioner.embedders.1.model.token_embedding.weight"].Shape[1];
        EmbeddingWriter.Write(_folder["all/ink.safetensors"], Numbers(widthL), Numbers(widthG), 1);
        string[] small = ["--width", "256", "--height", "256", "--steps", "1", "--seed", "3", "--cache", Muse.Cache];
        string picture = _folder["ink.png"];
        string[] folders = ["--embedding-folder", _folder["all"]];
        MuseResult painted = await Muse.RunAsync(["render", "an ink sea", "--out", picture, .. small, .. folders]);
        Assert.Equal(0, painted.Code);

        Assert.Equal(0, (await Muse.RunAsync(["verify", picture, "--cache", Muse.Cache, .. folders])).Code);
        MuseResult without = await Muse.RunAsync("verify", picture, "--cache", Muse.Cache);
        Assert.Equal(1, without.Code);
        Assert.Contains("the embedding ink", without.Out, StringComparison.Ordinal);

        static float[] Numbers(int width) => [.. Enumerable.Range(0, width).Select(i => (i % 7 - 3) * 0.02f)];
    }
}
