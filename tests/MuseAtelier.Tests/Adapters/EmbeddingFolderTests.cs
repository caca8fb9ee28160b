using MuseAtelier.Adapters;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Adapters;

/// <summary>The folders in which prompts find embeddings.</summary>
public sealed class EmbeddingFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Scan_OfFolders_FindsUsableFilesAndSaysWhyOthersAreSkipped()
    {
        EmbeddingWriter.WriteSmall(_folder["one/ink.safetensors"], 2);
        EmbeddingWriter.WriteSmall(_folder["one/deep/below/Moss.safetensors"], 3);
        var old = new RawCheckpoint();
        old.SetSingles("emb_params", new float[768], 1, 768);
        old.Write(_folder["one/old.pt"]);
        File.WriteAllText(_folder["one/empty.bin"], "");
        File.WriteAllText(_folder["one/notes.txt"], "no embedding");

        EmbeddingCatalog catalog = new EmbeddingFolder([_folder["one"]]).Scan();
        Assert.True(catalog.IsComplete);
        Assert.Equal(
            ["deep/below/Moss.safetensors", "empty.bin", "ink.safetensors", "old.pt"], catalog.Entries.Select(entry => entry.Place));
        Assert.Equal(["Moss", "ink"], catalog.Usable.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.Equal(3, catalog.Find("moss")!.Vectors);
        Assert.Null(catalog.Find("old"));
        EmbeddingEntry[] skipped = [.. catalog.Skipped];
        Assert.Equal(["empty", "old"], skipped.Select(entry => entry.Name));
        Assert.Equal("SD 1.x", Assert.IsType<EmbeddingKindException>(skipped[1].Fault).Model);
        Assert.Throws<EmbeddingKindException>(() => skipped[1].Load());
    }

    [Fact]
    public void Scan_OfEqualNames_TakesThatOfTheFirstFolder()
    {
        EmbeddingWriter.WriteSmall(_folder["one/b/ink.safetensors"], 2);
        EmbeddingWriter.WriteSmall(_folder["one/a/INK.safetensors"], 4);
        EmbeddingWriter.WriteSmall(_folder["two/ink.safetensors"], 3);
        EmbeddingCatalog catalog = new EmbeddingFolder([_folder["two"], _folder["one"], _folder["one/a"]]).Scan();
        Assert.Equal(3, catalog.Entries.Count);
        Assert.Equal(3, catalog.Find("ink")!.Vectors);
        Assert.Equal(["a/INK.safetensors", "b/ink.safetensors"], catalog.Hidden("ink").Select(entry => entry.Place));
        Assert.Empty(catalog.Hidden("moss"));

        // A path of ComfyUI reaches the others.
        Assert.Equal(3, catalog.FindPath("ink")!.Vectors);
        Assert.Equal(4, catalog.FindPath("INK")!.Vectors);
        Assert.Equal(2, catalog.FindPath("b/ink")!.Vectors);
        Assert.Equal(2, catalog.FindPath(@"b\ink.safetensors")!.Vectors);
        Assert.Equal(3, catalog.FindPath("Ink")!.Vectors);
        Assert.Null(catalog.FindPath("nk"));
        Assert.Null(catalog.FindPath("../ink"));
    }

    [Fact]
    public void Scan_AfterAChange_SeesIt()
    {
        string path = EmbeddingWriter.WriteSmall(_folder["one/ink.safetensors"], 2);
        var folder = new EmbeddingFolder([_folder["one"]]);
        EmbeddingCatalog before = folder.Scan();
        Embedding first = before.Find("ink")!.Load();
        Assert.Same(before, folder.Scan());
        Assert.Same(first, folder.Scan().Find("ink")!.Load());

        // Another file of the same size.
        EmbeddingWriter.WriteSmall(path, 2, first: 100);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddMinutes(1));
        Embedding second = folder.Scan().Find("ink")!.Load();
        Assert.NotEqual(first.Sha256, second.Sha256);
        Assert.Equal((0, 100), (first.ClipL(0)[0], second.ClipL(0)[0]));
        Assert.Equal(104, second.ClipG(1)[0]);

        EmbeddingWriter.WriteSmall(_folder["one/moss.safetensors"], 1);
        Assert.Equal(2, folder.Scan().Usable.Count);
        File.Delete(path);
        Assert.Equal("moss", Assert.Single(folder.Scan().Usable).Name);
    }

    [Fact]
    public void Folders_ThatAreMissing_AreNamed()
    {
        string missing = _folder["missing"];
        Assert.Equal(missing, Assert.Throws<EmbeddingFolderException>(() => new EmbeddingFolder([missing])).Path);
        Directory.CreateDirectory(missing);
        var folder = new EmbeddingFolder([missing]);
        Assert.Empty(folder.Scan().Entries);
        Directory.Delete(missing);
        Assert.Throws<EmbeddingFolderException>(folder.Scan);
        Assert.Same(EmbeddingCatalog.Empty, EmbeddingFolder.None.Scan());
    }
}
