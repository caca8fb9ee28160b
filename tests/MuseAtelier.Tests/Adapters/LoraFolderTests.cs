using MuseAtelier.Adapters;
using MuseAtelier.Format;
using MuseAtelier.Server.Adapters;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Adapters;

/// <summary>How names of LoRAs are looked up in folders.</summary>
public sealed class LoraFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Find_OfANameInASubfolder_IsTheFileOfThatNameWithItsCase()
    {
        string path = Put("a/b/ink.v2.safetensors");
        Put("a/notes.txt");
        Assert.Equal(path, Find("ink.v2", out _).Path);
        Assert.Equal(path, Find("a/b/ink.v2", out _).Path);
        Assert.Equal("a/b/ink.v2.safetensors", Find(@"a\b\ink.v2", out _).Place);
        LoraNotFoundException exception = Assert.Throws<LoraNotFoundException>(() => Find("Ink.V2", out _));
        Assert.Equal(["ink.v2"], exception.Nearest);
        Assert.Contains("Did you mean ink.v2?", exception.Message, StringComparison.Ordinal);
        Assert.Throws<LoraNotFoundException>(() => Find("../b/ink.v2", out _));
    }

    // AUTOMATIC1111's dictionary of networks keeps the last one of a name.
    [Fact]
    public void Find_OfANameOfTwoFiles_TakesTheLastInNaturalOrderAndSaysSo()
    {
        Put("v10/ink.safetensors");
        Put("v2/ink.safetensors");
        Put("ink.pt");
        Assert.Equal("v10/ink.safetensors", Find("ink", out List<string> notices).Place);
        Assert.Equal(
            "3 LoRAs are called 'ink': ink.pt, v2/ink.safetensors, v10/ink.safetensors. The last one is taken, as in AUTOMATIC1111.",
            Assert.Single(notices));
        Assert.Equal("v2/ink.safetensors", Find("v2/ink", out notices).Place);
        Assert.Empty(notices);
    }

    [Fact]
    public void Find_OfAnAlias_ReadsTheMetadataButPrefersNamesOfFiles()
    {
        Put("one.safetensors", ("ss_output_name", "mist"), ("sshs_model_hash", "ABCDEF0123456789"));
        Put("two.safetensors", ("ss_output_name", "one"));
        Assert.Equal("one", Find("mist", out _).Name);
        Assert.Equal("one", Find("one", out List<string> notices).Name);
        Assert.Empty(notices);
        Assert.True(Find("one", out _).States("abcdef0123"));
        Assert.False(Find("two", out _).States("abcdef0123"));
        Assert.Equal(["mist"], Assert.Throws<LoraNotFoundException>(() => Find("mists", out _)).Nearest);
    }

    [Fact]
    public void Find_OfAFileThatIsNew_ListsTheFoldersAgain()
    {
        Put("one.safetensors");
        var folder = new LoraFolder([_folder["loras"]]);
        Assert.Throws<LoraNotFoundException>(() => folder.Find("two", []));
        string path = Put("sub/two.safetensors");
        Assert.Equal(path, folder.Find("two", []).Path);
        File.Delete(path);
        Assert.Throws<LoraNotFoundException>(() => folder.Find("two", []));
        LoraEntry known = folder.Find("one", []);
        Assert.Null(known.Alias);
        Put("one.safetensors", ("ss_output_name", "mist"));
        Assert.Equal("mist", folder.Find("one", []).Alias);
        Assert.Same(known, folder.Find("one", []));
    }

    [Fact]
    public void Current_WithLinksInACycle_EndsAndListsEachFileOnce()
    {
        Put("a/ink.safetensors");
        Directory.CreateSymbolicLink(_folder["loras/a/up"], _folder["loras"]);
        Directory.CreateSymbolicLink(_folder["loras/elsewhere"], Directory.CreateDirectory(_folder["store"]).FullName);
        RawLora(_folder["store/mist.safetensors"]);
        var folder = new LoraFolder([_folder["loras"], _folder["loras"]]);
        Assert.Equal(["a/ink.safetensors", "elsewhere/mist.safetensors"], folder.Current.Entries.Select(entry => entry.Place));
        Assert.Empty(folder.Current.Notices);
    }

    [Fact]
    public void Current_OfAFolderThatIsMissing_IsRefused()
    {
        LoraFolderException exception = Assert.Throws<LoraFolderException>(() => new LoraFolder([_folder["none"]]).Find("ink", []));
        Assert.Equal(_folder["none"], exception.Path);
        Directory.CreateDirectory(_folder["empty"]);
        LoraNotFoundException empty = Assert.Throws<LoraNotFoundException>(() => new LoraFolder([_folder["empty"]]).Find("ink", []));
        Assert.Contains("which have none", empty.Message, StringComparison.Ordinal);
    }

    // A file that is no LoRA has no alias; only using it gives the reason.
    // The size and the time of a link stay as they are when its file is replaced.
    [Fact]
    public void Alias_OfALinkWhoseFileWasReplaced_IsThatOfTheNewOne()
    {
        Directory.CreateDirectory(_folder["loras"]);
        string target = RawLora(_folder["target.safetensors"], ("ss_output_name", "mist"));
        File.CreateSymbolicLink(_folder["loras/link.safetensors"], target);
        LoraEntry entry = Assert.Single(new LoraFolder([_folder["loras"]]).Current.Entries);
        var digests = new FileDigests();
        Assert.Equal(("mist", Digest()), (entry.Alias, digests.Of(entry.Path)));
        RawLora(target, ("ss_output_name", "fog and rain"));
        Assert.Equal(("fog and rain", Digest()), (entry.Alias, digests.Of(entry.Path)));

        string Digest() => Sha256.Hash(File.ReadAllBytes(target));
    }

    [Fact]
    public void Alias_OfAFileThatIsNoSafetensors_IsNone()
    {
        string path = Put("bad.safetensors");
        File.WriteAllBytes(path, [1, 2, 3]);
        Put("good.safetensors", ("ss_output_name", "two\nlines"));
        Assert.All(new LoraFolder([_folder["loras"]]).Current.Entries, entry => Assert.Null(entry.Alias));
    }

    [Fact]
    public void Compare_OfNames_OrdersNumbersByTheirValue()
    {
        string[] names = ["ink10", "Ink2", "ink02b", "ink", "ink2a3", "ink2a20", "ab"];
        Assert.Equal(["ab", "ink", "Ink2", "ink2a3", "ink2a20", "ink02b", "ink10"], names.Order(NaturalOrder.Instance));
    }

    private LoraEntry Find(string name, out List<string> notices)
    {
        notices = [];
        return new LoraFolder([_folder["loras"]]).Find(name, notices);
    }

    private string Put(string place, params (string Name, string Value)[] metadata)
    {
        string path = _folder["loras/" + place];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return RawLora(path, metadata);
    }

    private static string RawLora(string path, params (string Name, string Value)[] metadata)
    {
        var file = new RawCheckpoint();
        file.SetHalves("lora_unet_x.alpha", [metadata.Length], []);
        foreach ((string name, string value) in metadata) file.Metadata[name] = value;
        return file.Write(path);
    }
}
