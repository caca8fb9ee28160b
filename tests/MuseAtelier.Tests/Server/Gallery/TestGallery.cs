using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Tests.Pictures;

namespace MuseAtelier.Tests.Server.Gallery;

/// <summary>A gallery over a folder of its own, and files for it.</summary>
internal sealed class TestGallery : IAsyncDisposable
{
    private FolderGallery? _gallery;

    /// <summary>The folder above the gallery's, which goes with it.</summary>
    public string Root { get; } = Directory.CreateTempSubdirectory("muse-gallery-").FullName;

    /// <summary>The gallery's folder.</summary>
    public string Folder => Path.Combine(Root, "pictures");

    /// <summary>The gallery, once it was opened.</summary>
    public FolderGallery Gallery => _gallery ?? throw new InvalidOperationException("The gallery was not opened.");

    /// <summary>The ids of the pictures for which events were raised.</summary>
    public List<string> Added { get; } = [];

    /// <summary>The ids of removed pictures for which events were raised.</summary>
    public List<string> Removed { get; } = [];

    /// <summary>Opens the gallery, after closing it if it is open.</summary>
    public async Task<FolderGallery> OpenAsync()
    {
        await CloseAsync();
        _gallery = new FolderGallery(new GalleryFolders(Folder));
        _gallery.Added += picture => Add(Added, picture.Id);
        _gallery.Removed += id => Add(Removed, id);
        await _gallery.StartAsync(CancellationToken.None);
        return _gallery;
    }

    /// <summary>Closes the gallery, as the end of a server does.</summary>
    public async Task CloseAsync()
    {
        if (_gallery is null) return;
        await _gallery.StopAsync(CancellationToken.None);
        _gallery.Dispose();
        _gallery = null;
    }

    /// <summary>The ids that a list has.</summary>
    public async Task<string[]> ListAsync(string text = "") =>
        [.. (await PageAsync(new GalleryQuery { Text = text, Limit = GalleryQuery.MostPictures })).Pictures.Select(picture => picture.Id)];

    /// <summary>A page of a list.</summary>
    public Task<GalleryPage> PageAsync(GalleryQuery query) => Gallery.ListAsync(query, CancellationToken.None);

    /// <summary>Puts a file into the gallery's folder as another program would, with a time in seconds after the year 2020 began.</summary>
    public string Put(string name, byte[] content, int seconds = 0)
    {
        Directory.CreateDirectory(Folder);
        string path = Path.Combine(Folder, name);
        string partial = Path.Combine(Root, "partial");
        File.WriteAllBytes(partial, content);
        File.SetLastWriteTimeUtc(partial, new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(seconds));
        File.Move(partial, path, overwrite: true);
        return path;
    }

    /// <summary>A small picture with its record.</summary>
    public static byte[] PictureOf(
        string prompt = "a cat", ulong seed = 1, PictureFormat format = PictureFormat.Png, int width = 64, int height = 48)
    {
        var request = new PictureRequest { Prompt = prompt, NegativePrompt = "fog", Seed = seed, Steps = 2, Width = 256, Height = 256 };
        using Picture picture = SamplePicture.Of(request, width, height);
        return PictureFile.Encode(picture, format);
    }

    /// <summary>A small picture without a record, with a text of AUTOMATIC1111.</summary>
    public static byte[] ForeignPictureOf(string text)
    {
        using Picture picture = SamplePicture.Of(new PictureRequest { Prompt = "" });
        byte[] plain = PictureFile.Encode(picture, PictureFormat.Png, new PictureEncodingOptions { Metadata = MetadataLevel.None });
        return Encoded.Png(plain, [PngChunk.Text("parameters", text)]);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Directory.Delete(Root, recursive: true);
    }

    private static void Add(List<string> ids, string id)
    {
        lock (ids) ids.Add(id);
    }
}
