namespace MuseAtelier.Pictures;

/// <summary>The options for encoding a picture.</summary>
public record PictureEncodingOptions
{
    /// <summary>The metadata that the picture's bytes get.</summary>
    public MetadataLevel Metadata { get; init; } = MetadataLevel.Full;

    /// <summary>
    /// Quality of JPEG, WebP and AVIF, 1 to 100; null means <see cref="PictureFormats.DefaultQuality"/>. PNG ignores it.
    /// </summary>
    public int? Quality { get; init; }

    /// <summary>The encoding of a format with a quality.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The format does not exist, or the quality is not 1 to 100.</exception>
    internal static RecordedEncoding EncodingOf(PictureFormat format, int? quality)
    {
        if (!Enum.IsDefined(format)) throw new ArgumentOutOfRangeException(nameof(format), format, "there is no such format");
        if (quality is < 1 or > 100) throw new ArgumentOutOfRangeException(nameof(quality), quality, "a quality is 1 to 100");
        return new RecordedEncoding(format, format == PictureFormat.Png ? null : quality ?? PictureFormats.DefaultQuality(format));
    }
}
