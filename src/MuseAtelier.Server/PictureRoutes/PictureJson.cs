using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Server.Gallery;
using MuseAtelier.Server.Requests;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.PictureRoutes;

/// <summary>A picture as docs/http-api.md describes it.</summary>
internal sealed record PictureJson
{
    /// <summary>The id.</summary>
    public required string Id { get; init; }

    /// <summary>When it was painted, in UTC. All such texts have the same length, so that they sort as the times do.</summary>
    public required string Painted { get; init; }

    /// <summary>Width in px.</summary>
    public required int Width { get; init; }

    /// <summary>Height in px.</summary>
    public required int Height { get; init; }

    /// <summary>Bytes of the file.</summary>
    public required long Bytes { get; init; }

    /// <summary>The format of the file.</summary>
    public required string Format { get; init; }

    /// <summary>The address of the file.</summary>
    public required string File { get; init; }

    /// <summary>The address of the thumbnail. Another file under the same id has another one.</summary>
    public required string Thumbnail { get; init; }

    /// <summary>The recorded request; null if the file has no record.</summary>
    public JsonObject? Request { get; init; }

    /// <summary>The model that painted it; null if the file has no record.</summary>
    public string? Model { get; init; }

    /// <summary>The device that painted it; null if the file has no record.</summary>
    public string? Device { get; init; }

    /// <summary>The job that painted it; null if the server does not know the job.</summary>
    public string? Job { get; init; }

    /// <summary>True for the last preview of a picture whose job a client stopped; null for pictures.</summary>
    public bool? IsStudy { get; init; }

    /// <summary>The settings as AUTOMATIC1111's text; only where a single picture is asked for.</summary>
    public string? Text { get; init; }

    /// <summary>Describes a picture.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="uploads">Knows the sources of recorded requests.</param>
    /// <param name="knowsJob">Whether the server knows a job of this id.</param>
    public static PictureJson Of(GalleryPicture picture, UploadStore uploads, Func<string, bool> knowsJob)
    {
        string address = $"/api/v1/pictures/{picture.Id}";
        string? job = GalleryNames.JobOf(picture.Id);
        return new PictureJson
        {
            Id = picture.Id,
            Painted = picture.Painted.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
            Width = picture.Width,
            Height = picture.Height,
            Bytes = picture.Bytes,
            Format = picture.Format.ToString().ToLowerInvariant(),
            File = $"{address}/file",
            Thumbnail = $"{address}/thumbnail?v={ThumbnailStore.VersionOf(picture)}",
            Request = picture.Record is { } record ? RequestJson.Write(record.Request, uploads.Of(record.Request)) : null,
            Model = picture.Record?.Model.Name,
            Device = picture.Record?.Engine.Device,
            Job = job is not null && knowsJob(job) ? job : null,
            IsStudy = GalleryNames.IsStudy(picture.Id) ? true : null,
        };
    }
}
