using MuseAtelier.Server;
using MuseAtelier.Server.Models;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Models;

/// <summary>Which upscalers a client may name.</summary>
public sealed class UpscalerShelfTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muse-upscalers-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Models_AreThoseOfTheFolder_ByTheirNames()
    {
        foreach (string name in (string[])["b.pth", "A.safetensors", "a.pth", "notes.txt", ".hidden.pth"])
            File.WriteAllText(Path.Combine(_folder, name), "");
        Directory.CreateDirectory(Path.Combine(_folder, "c.pth"));
        UpscalerShelf shelf = ShelfOf(_folder);
        Assert.Equal(["latent", "latent-bicubic", "latent-nearest", "lanczos", "A", "b"], shelf.All.Select(each => each.Name));
        Assert.Equal(Path.Combine(_folder, "b.pth"), shelf.Find("B")!.Path);
        Assert.Equal("b", UpscalerShelf.NameOf(shelf.Find("b")!));
        Assert.Null(shelf.Find(Path.Combine(_folder, "b.pth")));
        Assert.Null(shelf.Find("../b"));
    }

    [Fact]
    public void WithoutAFolder_ThereAreTheBuiltInOnes()
    {
        Assert.Equal(4, ShelfOf(null).All.Count);
        Assert.Equal(4, ShelfOf(Path.Combine(_folder, "missing")).All.Count);
        Assert.Equal(HiresUpscaler.Lanczos, ShelfOf(null).Find("Lanczos"));
    }

    private static UpscalerShelf ShelfOf(string? folder) =>
        new(new ServerOptions { Models = [], Atelier = TestAtelier.Options, Gallery = "/nowhere", Upscalers = folder });
}
