using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Metadata;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Tests.Pictures;

namespace MuseAtelier.Tests.Server.Gallery;

public sealed class ThumbnailStoreTests
{
    [Theory]
    [InlineData(960, 600, 480, 300)]
    [InlineData(300, 1000, 144, 480)]
    [InlineData(64, 48, 64, 48)]
    public async Task GetAsync_OfAPicture_IsAWebPOfAtMost480Px(int width, int height, int smallWidth, int smallHeight)
    {
        await using var test = new TestGallery();
        test.Put("a.png", TestGallery.PictureOf(width: width, height: height));
        FolderGallery gallery = await test.OpenAsync();
        using var store = new ThumbnailStore(new GalleryFolders(test.Folder));
        byte[] file = await store.GetAsync(gallery.Find("a.png")!, gallery.PathOf("a.png")!, TestContext.Current.CancellationToken);
        PictureFileContent content = PictureFile.Read(file);
        Assert.Equal(PictureFormat.WebP, content.Format);
        Assert.Equal((smallWidth, smallHeight), (content.Width, content.Height));
        Assert.Empty(content.Texts);
    }

    // In the picture, red grows from left to right; each entry says where the small red is after the turn.
    [Theory]
    [InlineData(2, 64, 48, false, true)]
    [InlineData(3, 64, 48, false, true)]
    [InlineData(4, 64, 48, false, false)]
    [InlineData(5, 48, 64, true, false)]
    [InlineData(6, 48, 64, true, false)]
    [InlineData(7, 48, 64, true, true)]
    [InlineData(8, 48, 64, true, true)]
    public async Task GetAsync_OfATurnedPicture_IsUpright(int orientation, int width, int height, bool isVertical, bool isAtTheEnd)
    {
        await using var test = new TestGallery();
        byte[] exif = [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0];
        test.Put("a.jpg", Encoded.Jpeg(Gradient(), exif, []));
        FolderGallery gallery = await test.OpenAsync();
        GalleryPicture picture = gallery.Find("a.jpg")!;
        Assert.Equal((width, height), (picture.Width, picture.Height));
        using var store = new ThumbnailStore(new GalleryFolders(test.Folder));
        byte[] file = await store.GetAsync(picture, gallery.PathOf("a.jpg")!, TestContext.Current.CancellationToken);
        using DecodedPicture small = PictureFile.Decode(file);
        Assert.Equal((width, height), (small.Width, small.Height));
        int first = small.Pixels.Span[3 * (2 + 2 * width)];
        int end = small.Pixels.Span[3 * (isVertical ? 2 + (height - 3) * width : (width - 3) + 2 * width)];
        Assert.Equal(isAtTheEnd, first > end);
    }

    [Fact]
    public async Task GetAsync_AgainAndAfterAChange_KeepsTheFileUntilThePictureChanges()
    {
        await using var test = new TestGallery();
        string path = test.Put("a.png", TestGallery.PictureOf(), seconds: 1);
        FolderGallery gallery = await test.OpenAsync();
        var folders = new GalleryFolders(test.Folder);
        using var store = new ThumbnailStore(folders);
        GalleryPicture picture = gallery.Find("a.png")!;
        byte[][] files = await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(_ => store.GetAsync(picture, path, TestContext.Current.CancellationToken)));
        Assert.All(files, file => Assert.Equal(files[0], file));
        string kept = Assert.Single(Directory.GetFiles(folders.Thumbnails));
        byte[] mark = [1, 2, 3];
        File.WriteAllBytes(kept, mark);
        Assert.Equal(mark, await store.GetAsync(picture, path, TestContext.Current.CancellationToken));
        test.Put("a.png", TestGallery.PictureOf("another"), seconds: 2);
        await test.ListAsync();
        Assert.NotEqual(mark, await store.GetAsync(gallery.Find("a.png")!, path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task GetAsync_BeyondTheBound_DeletesTheOldest()
    {
        await using var test = new TestGallery();
        for (int i = 0; i < 6; i++) test.Put($"{i}.png", TestGallery.PictureOf(), seconds: i);
        FolderGallery gallery = await test.OpenAsync();
        var folders = new GalleryFolders(test.Folder);
        using var trial = new ThumbnailStore(folders);
        int size = (await trial.GetAsync(gallery.Find("0.png")!, gallery.PathOf("0.png")!, CancellationToken.None)).Length;
        string oldest = Directory.GetFiles(folders.Thumbnails)[0];
        File.SetLastWriteTimeUtc(oldest, DateTime.UtcNow.AddDays(-1));
        using var store = new ThumbnailStore(folders, mostBytes: size * 4);
        for (int i = 1; i < 6; i++) await store.GetAsync(gallery.Find($"{i}.png")!, gallery.PathOf($"{i}.png")!, CancellationToken.None);
        Assert.False(File.Exists(oldest));
        Assert.InRange(Directory.GetFiles(folders.Thumbnails).Length, 3, 4);
    }

    [Fact]
    public async Task GetAsync_OfADamagedPicture_FailsAndKeepsNothing()
    {
        await using var test = new TestGallery();
        byte[] file = TestGallery.PictureOf(width: 200, height: 200);
        string path = test.Put("a.png", file);
        FolderGallery gallery = await test.OpenAsync();
        GalleryPicture picture = gallery.Find("a.png")!;
        test.Put("a.png", file[..^100]);
        var folders = new GalleryFolders(test.Folder);
        using var store = new ThumbnailStore(folders);
        await Assert.ThrowsAnyAsync<PictureFileException>(() => store.GetAsync(picture, path, CancellationToken.None));
        Assert.Empty(Directory.GetFiles(folders.Thumbnails));
    }

    private static byte[] Gradient()
    {
        const int width = 64, height = 48;
        byte[] pixels = new byte[width * height * 3];
        for (int i = 0; i < width * height; i++) pixels[i * 3] = (byte)(i % width * 4);
        return Encoded.Picture(
            "a", pixels, width, height, new RecordedEncoding(PictureFormat.Jpeg, 90), new MetadataTexts(null, null, null));
    }
}
