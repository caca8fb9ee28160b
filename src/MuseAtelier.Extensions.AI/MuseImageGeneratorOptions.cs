using MuseAtelier.Pictures;

namespace MuseAtelier.Extensions.AI;

/// <summary>The settings of an atelier's image generator.</summary>
public sealed record MuseImageGeneratorOptions
{
    /// <summary>
    /// The request whose settings apply where a call has no others, such as its size, its steps and its negative prompt. Its prompt and
    /// its seed are not used.
    /// </summary>
    public PictureRequest Defaults { get; init; } = new() { Prompt = "" };

    /// <summary>
    /// The media type of calls that name none: <c>image/png</c>, <c>image/jpeg</c> or <c>image/webp</c>.
    /// </summary>
    public string MediaType { get; init; } = "image/png";

    /// <summary>
    /// Quality of JPEG and WebP, 1 to 100; null means <see cref="PictureFormats.DefaultQuality"/>. PNG ignores it.
    /// </summary>
    public int? Quality { get; init; }

    /// <summary>The metadata that each file gets: by default the record from which the picture can be painted again.</summary>
    public MetadataLevel Metadata { get; init; } = MetadataLevel.Full;

    /// <summary>The priority of the requests while they wait.</summary>
    public GenerationPriority Priority { get; init; } = GenerationPriority.Normal;

    /// <summary>The largest number of pictures of one call, from 1. A response holds all of its files in memory.</summary>
    public int MostPictures { get; init; } = 16;
}
