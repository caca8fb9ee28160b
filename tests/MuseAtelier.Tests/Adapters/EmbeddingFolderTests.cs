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
            ["empty.bin", "ink.safetensors", "old.pt", "deep/below/Moss.safetensors"], catalog.Entries.Select(entry => entry.Place));
        Assert.Equal(["Moss", "ink"], catalog.Usable.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.Equal(3, catalog.Find("moss")!.Vectors);
        Assert.Null(catalog.Find("old"));
        EmbeddingEntry[] skipped = [.. catalog.Skipped];
        Assert.Equal(["empty", "old"], skipped.Select(entry => entry.Name));
        Assert.Equal("SD 1.x", Assert.IsType<EmbeddingKindException>(skipped[1].Fault).Model);
        Assert.Throws<EmbeddingKindException>(() => skipped[1].Load());
    }

    // AUTOMATIC1111's dictionary of embeddings keeps the last one of a name, as its dictionary of LoRAs does.
    [Fact]
    public void Scan_OfEqualNames_TakesTheLastOneInTheOrderOfLoras()
    {
        EmbeddingWriter.WriteSmall(_folder["two/ink.safetensors"], 1);
        EmbeddingWriter.WriteSmall(_folder["one/v10/ink.safetensors"], 2);
        EmbeddingWriter.WriteSmall(_folder["one/v2/ink.safetensors"], 3);
        EmbeddingWriter.WriteSmall(_folder["one/ink.safetensors"], 4);
        EmbeddingCatalog catalog = new EmbeddingFolder([_folder["two"], _folder["one"], _folder["one/v2"]]).Scan();
        string[] places = ["ink.safetensors", "ink.safetensors", "v2/ink.safetensors", "v10/ink.safetensors"];
        Assert.Equal(places, catalog.Entries.Select(entry => entry.Place));
        Assert.Equal(2, catalog.Find("ink")!.Vectors);
        Assert.Equal(places[..3], catalog.Hidden("ink").Select(entry => entry.Place));
        Assert.Empty(catalog.Hidden("moss"));
        Assert.Equal(1, new EmbeddingFolder([_folder["one"], _folder["two"]]).Scan().Find("ink")!.Vectors);

        // A path of ComfyUI reaches the others.
        Assert.Equal(2, catalog.FindPath("ink")!.Vectors);
        Assert.Equal(3, catalog.FindPath("v2/ink")!.Vectors);
        Assert.Equal(3, catalog.FindPath(@"v2\ink.safetensors")!.Vectors);
        Assert.Equal(2, catalog.FindPath("Ink")!.Vectors);
        Assert.Null(catalog.FindPath("nk"));
        Assert.Null(catalog.FindPath("../ink"));
    }

    // AUTOMATIC1111 compares names with their case when it keeps them, and without when it finds them in a prompt.
    [Fact]
    public void Scan_OfNamesThatDifferInCase_TakesTheFirstOfThem()
    {
        EmbeddingWriter.WriteSmall(_folder["a/INK.safetensors"], 1);
        EmbeddingWriter.WriteSmall(_folder["b/ink.safetensors"], 2);
        EmbeddingCatalog catalog = new EmbeddingFolder([_folder["a"], _folder["b"]]).Scan();
        Assert.Equal(1, catalog.Find("ink")!.Vectors);
        Assert.Equal(2, catalog.FindPath("ink")!.Vectors);
        Assert.Equal(1, catalog.FindPath("INK")!.Vectors);
        EmbeddingWriter.WriteSmall(_folder["b/c/INK.safetensors"], 3);
        Assert.Equal(2, new EmbeddingFolder([_folder["a"], _folder["b"]]).Scan().Find("ink")!.Vectors);
    }

    [Fact]
    public void Scan_OfFilesThatDifferInTheirExtension_TakesSafetensors()
    {
        EmbeddingWriter.WriteSmall(_folder["ink.safetensors"], 2);
        EmbeddingWriter.Tensors(new float[4], new float[4], 1).Write(_folder["ink.pt"]);
        EmbeddingCatalog catalog = new EmbeddingFolder([Path.GetDirectoryName(_folder["ink.pt"])!]).Scan();
        Assert.Equal(2, catalog.Find("ink")!.Vectors);
        Assert.Equal(2, catalog.FindPath("ink")!.Vectors);
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
        // Folders without files are folders: a name in ComfyUI's syntax is one that does not exist, and not text.
        Assert.NotSame(EmbeddingCatalog.Empty, folder.Scan());
        Directory.Delete(missing);
        Assert.Throws<EmbeddingFolderException>(folder.Scan);
        Assert.Same(EmbeddingCatalog.Empty, EmbeddingFolder.None.Scan());
    }
}
