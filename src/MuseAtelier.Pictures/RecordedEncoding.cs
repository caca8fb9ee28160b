namespace MuseAtelier.Pictures;

/// <summary>How a file was encoded.</summary>
public sealed record RecordedEncoding
{
    /// <summary>Creates the description of an encoding.</summary>
    /// <param name="format">The file's format.</param>
    /// <param name="quality">1 to 100; null for lossless formats.</param>
    public RecordedEncoding(PictureFormat format, int? quality = null) => (Format, Quality) = (format, quality);

    /// <summary>The file's format.</summary>
    public PictureFormat Format { get; init; }

    /// <summary>1 to 100; null for lossless formats.</summary>
    public int? Quality { get; init; }
}
