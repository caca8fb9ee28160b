using MuseAtelier.Server;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Adapters;

/// <summary>The embeddings of the server's folders, and the digest by which a job knows those of its prompts.</summary>
public sealed class EmbeddingShelfTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muse-embeddings-").FullName;

    private string Calm => Path.Combine(_folder, "calm.safetensors");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void AList_TellsVectorsAndFaults_ButNoPath()
    {
        EmbeddingWriter.WriteSmall(Calm, count: 2);
        File.WriteAllText(Path.Combine(_folder, "bad.safetensors"), "no tensors");
        EmbeddingShelf shelf = Open(_folder);
        IReadOnlyList<ListedEmbedding> listed = shelf.All();
        Assert.Equal([("bad", 0), ("calm", 2)], listed.Select(each => (each.Name, each.Vectors)));
        Assert.Equal("bad-embedding", listed[0].Problem!.Kind);
        Assert.DoesNotContain(_folder, listed[0].Problem!.Message, StringComparison.Ordinal);
        EmbeddingWriter.WriteSmall(Path.Combine(_folder, "later.safetensors"), count: 1);
        Assert.Equal(3, shelf.Refresh().Count);
    }

    [Fact]
    public void AFingerprint_FollowsTheFilesThatThePromptsName()
    {
        EmbeddingWriter.WriteSmall(Calm, count: 2);
        EmbeddingShelf shelf = Open(_folder);
        var request = new PictureRequest { Prompt = "a calm sky" };
        string named = shelf.FingerprintOf(request)!;
        Assert.Equal(64, named.Length);
        Assert.Null(shelf.FingerprintOf(request with { Prompt = "a sky" }));
        Assert.Equal(named, shelf.FingerprintOf(request with { Prompt = "a sky", NegativePrompt = "calm" }));
        Assert.Equal(named, shelf.FingerprintOf(request with { Prompt = "a sky", Hires = new HiresPass { Prompt = "calm" } }));
        Assert.Null(Open().FingerprintOf(request));
        EmbeddingWriter.WriteSmall(Calm, count: 3);
        Assert.NotEqual(named, shelf.FingerprintOf(request));
        File.Delete(Calm);
        Assert.Null(shelf.FingerprintOf(request));
    }

    [Fact]
    public void AFolderThatIsGone_IsRefusedWithoutItsPath()
    {
        ServerRequestException refused = Assert.Throws<ServerRequestException>(() => Open(Path.Combine(_folder, "gone")).All());
        Assert.DoesNotContain(_folder, refused.Problem.Message, StringComparison.Ordinal);
    }

    private static EmbeddingShelf Open(params string[] folders) => new(new ServerOptions
    {
        Models = [],
        Atelier = TestAtelier.Options with { EmbeddingFolders = folders },
        Gallery = "/nowhere",
    });
}
