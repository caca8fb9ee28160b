using System.Text.Json.Serialization;
using MuseAtelier.Pictures;

namespace MuseAtelier.Server.Uploads;

/// <summary>A picture that a client sent, so that others are painted from it.</summary>
internal sealed record Upload
{
    /// <summary>SHA-256 of the file in lower-case hex.</summary>
    public required string Id { get; init; }

    /// <summary>Width in px, after EXIF's orientation.</summary>
    public required int Width { get; init; }

    /// <summary>Height in px, after EXIF's orientation.</summary>
    public required int Height { get; init; }

    /// <summary>Whether the picture has transparent parts.</summary>
    public bool HasAlpha => Transparency is not null;

    /// <summary>The name that the client gave the file, without a folder; null if none.</summary>
    public string? Name { get; init; }

    /// <summary>Bytes of the file.</summary>
    public required long Bytes { get; init; }

    /// <summary>The format of the file.</summary>
    [JsonIgnore]
    public PictureFormat Format { get; init; }

    /// <summary>The digest of the pixels: <see cref="SourceImage.Sha256"/>.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The digest of the mask of the transparent parts; null if the picture is opaque.</summary>
    [JsonIgnore]
    public string? Transparency { get; init; }

    /// <summary>The lightest value of the mask of the transparent parts, 0 to 255; null if it is not known.</summary>
    [JsonIgnore]
    public byte? TransparencyLightest { get; init; }

    /// <summary>The digest of the picture as a mask; null until it is used as one.</summary>
    [JsonIgnore]
    public string? MaskSha256 { get; init; }

    /// <summary>The lightest value of the picture as a mask, 0 to 255; null until it is used as one.</summary>
    [JsonIgnore]
    public byte? MaskLightest { get; init; }

    /// <summary>When a client or a job used it last.</summary>
    [JsonIgnore]
    public DateTimeOffset Used { get; init; }
}
