using MuseAtelier.Pictures;
using MuseAtelier.Server;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Tests.Server.Uploads;

/// <summary>Which pictures are kept, under which names, and for how long.</summary>
public sealed class UploadStoreTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("muse-uploads-").FullName;

    private GalleryFolders Folders => new(Path.Combine(_root, "gallery"));

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void APicture_IsKeptOnceUnderItsDigest()
    {
        using UploadStore store = Open();
        byte[] file = UploadFilesOf.Picture();
        Upload upload = store.Add(file, "C:\\pictures\\../a\tfox.png");
        Assert.Equal(Format.Sha256.Hash(file), upload.Id);
        Assert.Equal((32, 24, false, "a_fox.png"), (upload.Width, upload.Height, upload.HasAlpha, upload.Name));
        Assert.Equal(upload, store.Add(file, "another name"));
        Assert.Equal([upload.Id, $"{upload.Id}.json"], Directory.GetFiles(Folders.Uploads).Select(Path.GetFileName).Order());
        Assert.Equal(upload.Sha256, store.LoadSource(upload).Sha256);
        Assert.Equal(upload.Id, store.FindPixels(upload.Sha256)!.Id);
        Assert.Equal(file, store.Read(upload));
    }

    [Fact]
    public void ARestart_KnowsWhatWasKept()
    {
        string mask;
        using (UploadStore before = Open())
        {
            before.Add(UploadFilesOf.Picture(), "a.png");
            mask = before.LoadMask(before.Add(UploadFilesOf.Mask(), null)).Sha256;
        }

        // What a killed server left half written, and what is not the server's.
        string half = new('a', 64);
        File.WriteAllBytes(Path.Combine(Folders.Uploads, half), [1]);
        File.WriteAllText(Path.Combine(Folders.Uploads, "notes.txt"), "");
        using UploadStore store = Open();
        Upload upload = store.Find(Format.Sha256.Hash(UploadFilesOf.Picture()))!;
        Assert.Equal(("a.png", 32), (upload.Name, upload.Width));
        Assert.Equal(mask, store.FindMask(mask)!.MaskSha256);
        Assert.Null(store.Find(half));
        Assert.False(File.Exists(Path.Combine(Folders.Uploads, half)));
        Assert.True(File.Exists(Path.Combine(Folders.Uploads, "notes.txt")));
    }

    [Fact]
    public void TransparentParts_AreKnownAsAMask()
    {
        using UploadStore store = Open();
        Upload upload = store.Add(UploadFilesOf.Transparent(), null);
        Assert.True(upload.HasAlpha);
        MaskImage mask = MaskImage.OfTransparency(store.LoadSource(upload));
        Assert.Equal(upload.Transparency, mask.Sha256);
        Assert.Equal((255, 0), (mask.Pixels.Span[0], mask.Pixels.Span[31]));
    }

    [Fact]
    public void AMaskThatWasMade_IsTheSameMaskAsAFile()
    {
        using UploadStore store = Open();
        MaskImage mask = MaskImage.OfTransparency(store.LoadSource(store.Add(UploadFilesOf.Transparent(), null)));
        Assert.Equal(mask, store.LoadMask(store.Add(mask)));
    }

    [Fact]
    public void WhatIsNoPicture_IsRefusedAndNotKept()
    {
        using UploadStore store = Open();
        byte[] picture = UploadFilesOf.Picture();
        Assert.Throws<NotAPictureException>(() => store.Add(Array.Empty<byte>(), null));
        Assert.Throws<NotAPictureException>(() => store.Add("<svg/>"u8.ToArray(), null));
        Assert.ThrowsAny<PictureFileException>(() => store.Add(picture.AsMemory(0, picture.Length - 40), null));
        Assert.Throws<PictureTooLargeException>(() => store.Add(UploadFilesOf.Bomb(), null));
        Assert.False(Directory.Exists(Folders.Uploads));
    }

    [Fact]
    public void Bounds_DeleteTheOldestThatNoJobNeeds()
    {
        using UploadStore store = Open(new ServerLimits { Uploads = 3 });
        Upload[] uploads = [.. Enumerable.Range(1, 3).Select(number => store.Add(UploadFilesOf.Picture(number), null))];
        List<string> needed = [uploads[0].Id];
        store.CleanUp(() => needed);
        store.Add(UploadFilesOf.Picture(4), null);
        Assert.NotNull(store.Find(uploads[0].Id));
        Assert.Null(store.Find(uploads[1].Id));
        Assert.False(File.Exists(Path.Combine(Folders.Uploads, uploads[1].Id)));
        needed.AddRange(uploads[2].Id, Format.Sha256.Hash(UploadFilesOf.Picture(4)));
        var full = Assert.Throws<ServerRequestException>(() => store.Add(UploadFilesOf.Picture(5), null));
        Assert.Equal((429, "uploads-full"), (full.Status, full.Problem.Kind));
    }

    [Fact]
    public void Age_DeletesWhatNobodyUsed()
    {
        using (UploadStore before = Open())
        {
            Upload old = before.Add(UploadFilesOf.Picture(1), null), kept = before.Add(UploadFilesOf.Picture(2), null);
            before.Add(UploadFilesOf.Picture(3), null);
            foreach (Upload upload in (Upload[])[old, kept])
                File.SetLastWriteTimeUtc(Path.Combine(Folders.Uploads, $"{upload.Id}.json"), DateTime.UtcNow.AddDays(-2));
        }

        using UploadStore store = Open();
        store.CleanUp(() => [Format.Sha256.Hash(UploadFilesOf.Picture(2))]);
        store.Trim();
        Assert.Equal([2, 3], Enumerable.Range(1, 3).Where(IsKept));

        bool IsKept(int number) => store.Find(Format.Sha256.Hash(UploadFilesOf.Picture(number))) is not null;
    }

    [Fact]
    public void ARecordedRequest_FindsItsPicturesWhileTheyAreKept()
    {
        using UploadStore store = Open();
        Upload picture = store.Add(UploadFilesOf.Transparent(), null), mask = store.Add(UploadFilesOf.Mask(64, 48), null);
        MaskImage image = store.LoadMask(mask);
        var source = new PictureSource(SourceImage.Reference(picture.Width, picture.Height, picture.Sha256))
        {
            Mask = new InpaintMask(MaskImage.Reference(image.Width, image.Height, image.Sha256)),
        };
        var request = new PictureRequest { Prompt = "a", Source = source };
        Assert.Equal(new SourceUploads(picture.Id, mask.Id, IsTransparency: false), store.Of(request));
        var transparency = MaskImage.Reference(picture.Width, picture.Height, picture.Transparency!);
        PictureRequest other = request with { Source = source with { Mask = new InpaintMask(transparency) } };
        Assert.Equal(new SourceUploads(picture.Id, Mask: null, IsTransparency: true), store.Of(other));
        File.Delete(Path.Combine(Folders.Uploads, mask.Id));
        Assert.Throws<ServerRequestException>(() => store.Read(mask));
        Assert.Equal(new SourceUploads(picture.Id, Mask: null, IsTransparency: false), store.Of(request));
        Assert.Equal(default, store.Of(request with { Source = null }));
    }

    [Fact]
    public void AFileThatIsGone_IsNotKeptAnyMore()
    {
        using UploadStore store = Open();
        Upload upload = store.Add(UploadFilesOf.Picture(), null);
        File.Delete(Path.Combine(Folders.Uploads, upload.Id));
        var gone = Assert.Throws<ServerRequestException>(() => store.LoadSource(upload));
        Assert.Equal((404, "no-such-upload"), (gone.Status, gone.Problem.Kind));
        Assert.Null(store.Find(upload.Id));
    }

    private UploadStore Open(ServerLimits? limits = null) => new(Folders, limits ?? new ServerLimits());
}
