using MuseAtelier.Pictures;
using MuseAtelier.Server.Gallery;

namespace MuseAtelier.Tests.Server.Gallery;

public sealed class IndexCacheTests
{
    [Fact]
    public async Task Read_AfterTheServerEnded_HasEveryPictureAsItsFileDoes()
    {
        await using var test = new TestGallery();
        test.Put("a.png", TestGallery.PictureOf("一"), seconds: 1);
        test.Put("foreign.png", TestGallery.ForeignPictureOf("a pond\nSteps: 20"), seconds: 3);
        test.Put("夜.jpg", TestGallery.PictureOf("two", format: PictureFormat.Jpeg), seconds: 2);
        await test.OpenAsync();
        await test.ListAsync();
        GalleryPicture before = test.Gallery.Find("a.png")!;
        await test.CloseAsync();
        Dictionary<string, GalleryPicture> known = CacheOf(test).Read();
        Assert.Equal(["a.png", "foreign.png", "夜.jpg"], known.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("a pond\nSteps: 20", known["foreign.png"].Text);
        GalleryPicture read = known["a.png"];
        Assert.Equal(before.Record!.Request, read.Record!.Request);
        Assert.Equal(before with { Record = null }, read with { Record = null });

        // A file whose length and time are as the index says is not read again.
        string path = Path.Combine(test.Folder, "a.png");
        File.WriteAllBytes(path, new byte[before.Bytes]);
        File.SetLastWriteTimeUtc(path, before.Painted.UtcDateTime);
        await test.OpenAsync();
        Assert.Equal(3, (await test.ListAsync()).Length);
    }

    [Fact]
    public async Task Read_OfEveryDamage_SaysNothing()
    {
        await using var test = new TestGallery();
        test.Put("a.png", TestGallery.PictureOf());
        await test.OpenAsync();
        await test.ListAsync();
        await test.CloseAsync();
        string path = Path.Combine(test.Folder, ".atelier", "index");
        byte[] whole = File.ReadAllBytes(path);
        for (int at = 0; at < whole.Length; at += 37)
        {
            byte[] damaged = [.. whole];
            damaged[at] ^= 0x55;
            Write(path, damaged);
            Assert.Empty(CacheOf(test).Read());
            Write(path, whole[..at]);
            Assert.Empty(CacheOf(test).Read());
        }

        await test.OpenAsync();
        Assert.Equal(["a.png"], await test.ListAsync());
        Assert.NotEmpty(CacheOf(test).Read());
    }

    private static IndexCache CacheOf(TestGallery test) => new(new GalleryFolders(test.Folder), new GalleryReader());

    private static void Write(string path, byte[] content) => File.WriteAllBytes(path, content);
}
