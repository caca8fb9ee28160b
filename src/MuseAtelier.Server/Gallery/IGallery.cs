using MuseAtelier.Pictures;

namespace MuseAtelier.Server.Gallery;

/// <summary>
/// The folder of pictures. The files with their records are the truth: the index is a cache that is made again when it is missing, older
/// or damaged. Members may be called from any thread.
/// </summary>
internal interface IGallery
{
    /// <summary>The folder, absolute.</summary>
    string Folder { get; }

    /// <summary>
    /// The name of a picture of a job, without a folder: the same whenever it is asked for, so that a restart does not paint twice.
    /// </summary>
    string NameOf(string jobId, DateTimeOffset accepted, int index, PictureFormat format);

    /// <summary>Whether the folder has a complete picture of this name, in the trash as well.</summary>
    bool Has(string name);

    /// <summary>Adds a file: written beside, flushed and renamed. An existing file of the same name is kept.</summary>
    /// <returns>The picture.</returns>
    /// <exception cref="PictureFileException">The file cannot be written.</exception>
    Task<GalleryPicture> AddAsync(string name, ReadOnlyMemory<byte> file, CancellationToken cancellationToken);

    /// <summary>A picture by its id; null if there is none.</summary>
    GalleryPicture? Find(string id);

    /// <summary>The absolute path of a picture's file, checked to lie in the gallery; null if there is none.</summary>
    string? PathOf(string id);
}

/// <summary>A picture in the gallery.</summary>
internal sealed record GalleryPicture
{
    private readonly string? _fileName;

    /// <summary>The id in URLs: the file name, which has letters, digits, '-', '_' and '.' alone.</summary>
    public required string Id { get; init; }

    /// <summary>The name of the file: the id, unless another program named it in a way that no URL can have.</summary>
    public string FileName
    {
        get => _fileName ?? Id;
        init => _fileName = value == Id ? null : value;
    }

    /// <summary>When it was painted: the file's time.</summary>
    public required DateTimeOffset Painted { get; init; }

    /// <summary>Width in px, after EXIF's orientation.</summary>
    public required int Width { get; init; }

    /// <summary>Height in px, after EXIF's orientation.</summary>
    public required int Height { get; init; }

    /// <summary>Bytes of the file.</summary>
    public required long Bytes { get; init; }

    /// <summary>The format of the file.</summary>
    public PictureFormat Format { get; init; } = PictureFormat.Png;

    /// <summary>The record without its digests, which the file has; null if the file has no record, or an extremely long one.</summary>
    public PictureRecord? Record { get; init; }

    /// <summary>The beginning of another program's text about it, for searches; null if there is a record, or no text.</summary>
    public string? Text { get; init; }
}
