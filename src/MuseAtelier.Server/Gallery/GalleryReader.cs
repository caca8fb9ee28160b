using CommunityToolkit.HighPerformance.Buffers;
using MuseAtelier.Pictures;

namespace MuseAtelier.Server.Gallery;

/// <summary>Reads what the gallery knows of a file: size, time and record. Thousands of them are kept, so they are kept small.</summary>
internal sealed class GalleryReader
{
    // Values that most pictures of a gallery share: names of models, digests, devices, prompts of a series.
    private const int SharedTexts = 1024;

    // Longer prompts than any that the server accepts, but not without bound: a file may claim anything.
    private const int MostCharacters = 64 * 1024;

    // The prompt comes first in nearly every program's text.
    private const int LongestText = 1024;

    private static readonly RecordedHashes NoHashes = new("", [], [], "");

    private readonly StringPool _pool = new(SharedTexts);

    /// <summary>Reads a file; null if it is no picture that can be shown, or one that is cut off.</summary>
    /// <param name="file">The file.</param>
    public GalleryPicture? Read(FileInfo file) => Read(file, PictureFile.Read);

    /// <summary>Describes a file whose content is in memory, as <see cref="Read(FileInfo)"/> does.</summary>
    /// <param name="file">The file.</param>
    /// <param name="content">Its content; borrowed.</param>
    public GalleryPicture? Read(FileInfo file, ReadOnlyMemory<byte> content) => Read(file, _ => PictureFile.Read(content));

    private GalleryPicture? Read(FileInfo file, Func<string, PictureFileContent> read)
    {
        if (!GalleryFolders.IsRegular(file.FullName)) return null;
        try
        {
            PictureFileContent content = read(file.FullName);
            return content.IsCutOff ? null : Describe(file, content);
        }
        catch (Exception exception) when (exception is PictureFileException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The record with its repeated texts shared, without its digests; null if it is too long to be kept.</summary>
    public PictureRecord? Slim(PictureRecord record)
    {
        PictureRequest request = record.Request;
        if (request.Prompt.Length + request.NegativePrompt.Length > MostCharacters) return null;
        return record with
        {
            Request = request with { Prompt = Share(request.Prompt), NegativePrompt = Share(request.NegativePrompt) },
            Model = record.Model with
            {
                Name = Share(record.Model.Name),
                Sha256 = Share(record.Model.Sha256),
                GraphsSha256 = Share(record.Model.GraphsSha256),
            },
            Engine = record.Engine with
            {
                Version = Share(record.Engine.Version),
                Runtime = Share(record.Engine.Runtime),
                Device = Share(record.Engine.Device),
                Plan = Share(record.Engine.Plan),
            },
            Hashes = NoHashes,
        };
    }

    private GalleryPicture Describe(FileInfo file, PictureFileContent content)
    {
        PictureRecord? record = RecordOf(content);
        // Browsers and thumbnails show the picture as its orientation says; from 5 on, width and height change places.
        bool isTurned = content.Orientation >= 5;
        return new GalleryPicture
        {
            Id = GalleryNames.IdOf(file.Name),
            FileName = file.Name,
            Painted = new DateTimeOffset(file.LastWriteTimeUtc),
            Width = isTurned ? content.Height : content.Width,
            Height = isTurned ? content.Width : content.Height,
            Bytes = file.Length,
            Format = content.Format,
            Record = record,
            Text = record is null ? TextOf(content) : null,
        };
    }

    private static string? TextOf(PictureFileContent content)
    {
        string? text = content.Parameters ?? PictureTexts.Find(content)?.Text;
        return text is { Length: > LongestText } ? text[..LongestText] : text;
    }

    // A picture with a damaged record is still a picture.
    private PictureRecord? RecordOf(PictureFileContent content)
    {
        if (content.RecordJson is null) return null;
        try
        {
            return Slim(content.ReadRecord());
        }
        catch (PictureFileException)
        {
            return null;
        }
    }

    private string Share(string text) => _pool.GetOrAdd(text);
}
