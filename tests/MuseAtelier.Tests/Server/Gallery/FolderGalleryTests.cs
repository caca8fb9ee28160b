using MuseAtelier.Pictures;
using MuseAtelier.Server.Gallery;

namespace MuseAtelier.Tests.Server.Gallery;

public sealed class FolderGalleryTests
{
    [Fact]
    public async Task ListAsync_OfFilesOfEveryKind_HasThePicturesNewestFirst()
    {
        await using var test = new TestGallery();
        test.Put("old.png", TestGallery.PictureOf("a cat"), seconds: 1);
        test.Put("new.jpg", TestGallery.PictureOf("a dog", format: PictureFormat.Jpeg), seconds: 3);
        test.Put("middle.webp", TestGallery.PictureOf("a bird", format: PictureFormat.WebP), seconds: 2);
        test.Put("夜 一.png", TestGallery.PictureOf("night"), seconds: 4);
        test.Put("damaged.png", TestGallery.PictureOf()[..20], seconds: 5);
        test.Put("words.png", "no picture"u8.ToArray(), seconds: 6);
        test.Put("notes.txt", TestGallery.PictureOf(), seconds: 7);
        Directory.CreateDirectory(Path.Combine(test.Folder, "sub.png"));
        test.Put(Path.Combine("sub.png", "below.png"), TestGallery.PictureOf(), seconds: 8);
        await test.OpenAsync();
        string hashed = GalleryNames.IdOf("夜 一.png");
        Assert.Equal([hashed, "new.jpg", "middle.webp", "old.png"], await test.ListAsync());
        GalleryPicture picture = test.Gallery.Find(hashed)!;
        Assert.Equal("night", picture.Record!.Request.Prompt);
        Assert.Equal((64, 48), (picture.Width, picture.Height));
        Assert.Equal(Path.Combine(test.Folder, "夜 一.png"), test.Gallery.PathOf(hashed));
        Assert.Empty(test.Added);
    }

    [Fact]
    public async Task ListAsync_OfAFileThatIsCutOff_LeavesItOutUntilItIsWhole()
    {
        await using var test = new TestGallery();
        byte[] file = TestGallery.PictureOf();
        // The last chunk of a PNG file, which has no pixels, takes 12 bytes.
        test.Put("a.png", file[..^12]);
        test.Put("b.png", file[..^40]);
        await test.OpenAsync();
        Assert.Empty(await test.ListAsync());
        test.Put("a.png", file, seconds: 1);
        Assert.Equal(["a.png"], await test.ListAsync());
    }

    [Fact]
    public async Task ListAsync_OfASearch_FindsPromptsModelsAndSeedsWithoutCase()
    {
        await using var test = new TestGallery();
        test.Put("1.png", TestGallery.PictureOf("A Starry NIGHT, 星空", seed: 41), seconds: 1);
        test.Put("2.png", TestGallery.PictureOf("a day", seed: 42), seconds: 2);
        byte[] foreign = TestGallery.ForeignPictureOf("a lotus pond\nSteps: 20, Sampler: Euler a, Seed: 5");
        test.Put("0.png", foreign, seconds: 0);
        await test.OpenAsync();
        Assert.Equal(["0.png"], await test.ListAsync("LOTUS"));
        Assert.Equal(["1.png"], await test.ListAsync("starry night"));
        Assert.Equal(["1.png"], await test.ListAsync("星空"));
        Assert.Equal(["2.png"], await test.ListAsync("42"));
        Assert.Equal(["2.png", "1.png"], await test.ListAsync("FOG"));
        Assert.Equal(["2.png", "1.png"], await test.ListAsync("Miniature"));
        Assert.Empty(await test.ListAsync("4"));
        Assert.Equal(1, (await test.PageAsync(new GalleryQuery { Text = "day" })).Total);
    }

    [Fact]
    public async Task ListAsync_OfPagesWhilePicturesComeAndGo_SkipsAndRepeatsNone()
    {
        await using var test = new TestGallery();
        byte[] file = TestGallery.PictureOf();
        // Pictures of one second are told apart by their ids.
        for (int i = 0; i < 10; i++) test.Put($"p{i}.png", file, seconds: i / 2);
        await test.OpenAsync();
        List<string> seen = [];
        GalleryCursor? next = null;
        do
        {
            GalleryPage page = await test.PageAsync(new GalleryQuery { After = next, Limit = 3 });
            seen.AddRange(page.Pictures.Select(picture => picture.Id));
            next = page.Next is { } cursor ? GalleryCursor.TryParse(cursor.ToString()) : null;
            test.Put($"newer{seen.Count}.png", file, seconds: 100 + seen.Count);
            File.Delete(Path.Combine(test.Folder, seen[^1]));
        }
        while (next is not null);
        Assert.Equal(["p9.png", "p8.png", "p7.png", "p6.png", "p5.png", "p4.png", "p3.png", "p2.png", "p1.png", "p0.png"], seen);
    }

    [Fact]
    public async Task AddAsync_OfAFile_WritesItOnceAndTells()
    {
        await using var test = new TestGallery();
        FolderGallery gallery = await test.OpenAsync();
        byte[] file = TestGallery.PictureOf("first");
        Assert.False(gallery.Has("a.png"));
        GalleryPicture picture = await gallery.AddAsync("a.png", file, CancellationToken.None);
        Assert.True(gallery.Has("a.png"));
        Assert.Equal("first", picture.Record!.Request.Prompt);
        Assert.Equal(file, File.ReadAllBytes(gallery.PathOf("a.png")!));
        GalleryPicture again = await gallery.AddAsync("a.png", TestGallery.PictureOf("second"), CancellationToken.None);
        Assert.Equal("first", again.Record!.Request.Prompt);
        Assert.Equal(["a.png"], test.Added);
        Assert.Equal(["a.png"], await test.ListAsync());
        Assert.Equal(["a.png"], Directory.GetFiles(test.Folder).Select(Path.GetFileName));
        await Assert.ThrowsAsync<ArgumentException>(() => gallery.AddAsync("../b.png", file, CancellationToken.None));
    }

    [Fact]
    public async Task ListAsync_AfterOtherProgramsChangedFiles_NoticesIt()
    {
        await using var test = new TestGallery();
        test.Put("kept.png", TestGallery.PictureOf("one"), seconds: 1);
        test.Put("gone.png", TestGallery.PictureOf("two"), seconds: 2);
        await test.OpenAsync();
        await test.ListAsync();
        File.Delete(Path.Combine(test.Folder, "gone.png"));
        test.Put("kept.png", TestGallery.PictureOf("another"), seconds: 3);
        test.Put("come.png", TestGallery.PictureOf("three"), seconds: 4);
        Assert.Equal(["come.png", "kept.png"], await test.ListAsync());
        Assert.Equal("another", test.Gallery.Find("kept.png")!.Record!.Request.Prompt);
        Assert.Equal(["come.png"], test.Added);
        Assert.Equal(["gone.png"], test.Removed);
    }

    [Fact]
    public async Task RemoveAsync_OfAPicture_KeepsItInTheTrashUntilItIsRestored()
    {
        await using var test = new TestGallery();
        string path = test.Put("a.png", TestGallery.PictureOf(), seconds: 1);
        FolderGallery gallery = await test.OpenAsync();
        GalleryPicture before = gallery.Find("a.png")!;
        Assert.True(await gallery.RemoveAsync("a.png"));
        Assert.False(await gallery.RemoveAsync("a.png"));
        Assert.False(File.Exists(path));
        Assert.Null(gallery.Find("a.png"));
        Assert.True(gallery.Has("a.png"));
        Assert.Empty(await test.ListAsync());

        // The trash outlives the server.
        gallery = await test.OpenAsync();
        Assert.True(gallery.Has("a.png"));
        GalleryPicture restored = (await gallery.RestoreAsync("a.png"))!;
        Assert.Equal(before.Painted, restored.Painted);
        Assert.Equal(restored, await gallery.RestoreAsync("a.png"));
        Assert.Equal(["a.png"], await test.ListAsync());
        Assert.Null(await gallery.RestoreAsync("b.png"));
        Assert.Equal(["a.png"], test.Removed);
        Assert.Equal(["a.png"], test.Added);
    }

    [Fact]
    public async Task StartAsync_WithAnOldTrash_DeletesWhatLiesThereFor30Days()
    {
        await using var test = new TestGallery();
        test.Put("old.png", TestGallery.PictureOf());
        test.Put("young.png", TestGallery.PictureOf());
        FolderGallery gallery = await test.OpenAsync();
        await gallery.RemoveAsync("old.png");
        await gallery.RemoveAsync("young.png");
        await test.CloseAsync();
        string trash = Path.Combine(test.Folder, ".atelier", "trash");
        string place = Directory.GetFiles(trash, "old.png", SearchOption.AllDirectories)[0];
        long stamp = DateTimeOffset.UtcNow.AddDays(-31).ToUnixTimeSeconds();
        string folder = Directory.CreateDirectory(Path.Combine(trash, FormattableString.Invariant($"{stamp}"))).FullName;
        File.Move(place, Path.Combine(folder, "old.png"));
        gallery = await test.OpenAsync();
        await test.ListAsync();
        Assert.False(gallery.Has("old.png"));
        Assert.True(gallery.Has("young.png"));
    }

    [Fact]
    public async Task Find_OfLinks_HasNone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a privilege on Windows.");
        await using var test = new TestGallery();
        string outside = Path.Combine(test.Root, "outside.png");
        File.WriteAllBytes(outside, TestGallery.PictureOf());
        test.Put("real.png", TestGallery.PictureOf());
        File.CreateSymbolicLink(Path.Combine(test.Folder, "link.png"), outside);
        FolderGallery gallery = await test.OpenAsync();
        Assert.Equal(["real.png"], await test.ListAsync());
        Assert.Null(gallery.Find("link.png"));

        // A picture that is replaced by a link later is not served either.
        File.Delete(Path.Combine(test.Folder, "real.png"));
        File.CreateSymbolicLink(Path.Combine(test.Folder, "real.png"), outside);
        Assert.Null(gallery.PathOf("real.png"));
        Assert.False(await gallery.RemoveAsync("real.png"));
        Assert.True(File.Exists(outside));
    }

    [Fact]
    public async Task StartAsync_WithALinkInPlaceOfItsOwnFolder_Fails()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a privilege on Windows.");
        await using var test = new TestGallery();
        Directory.CreateDirectory(test.Folder);
        Directory.CreateSymbolicLink(Path.Combine(test.Folder, ".atelier"), test.Root);
        await Assert.ThrowsAsync<GalleryFolderException>(test.OpenAsync);
    }
}
