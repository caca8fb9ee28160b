namespace MuseAtelier.Pictures;

/// <summary>How a picture compares with what its record paints.</summary>
public enum VerificationOutcome
{
    /// <summary>The file is what painting again gives, byte by byte.</summary>
    SameBytes,

    /// <summary>
    /// Every step gives the same latents; the file was encoded otherwise, as by another version's encoder, or the picture decoded
    /// otherwise. <see cref="PictureVerification.SamePixels"/> tells the two apart.
    /// </summary>
    SameLatents,

    /// <summary>Every step gives the same latents, but the file shows another picture: it was changed after painting.</summary>
    OtherPicture,

    /// <summary>The runs part at a step.</summary>
    Parted,

    /// <summary>The atelier's model is another; nothing was painted.</summary>
    AnotherModel,
}

/// <summary>What verifying a picture found.</summary>
/// <param name="Outcome">How it compares.</param>
/// <param name="Record">The picture's record.</param>
public sealed record PictureVerification(VerificationOutcome Outcome, PictureRecord Record)
{
    /// <summary>Where the runs part: 0 for the start, then the step's number; null where they do not.</summary>
    public int? PartsAtStep { get; init; }

    /// <summary>Whether the noise already differs there, and not only what the model made of it.</summary>
    public bool NoiseParts { get; init; }

    /// <summary>Largest difference of a channel of a pixel between the file and the picture painted again, of 255; null where the sizes differ or nothing was painted.</summary>
    public int? LargestDifference { get; init; }

    /// <summary>Peak signal-to-noise ratio of the file against the picture painted again, in dB; +infinity when equal.</summary>
    public double? Psnr { get; init; }

    /// <summary>
    /// Whether the pixels are those that were painted then: the picture painted again has the digest of the record and, where the file
    /// keeps every pixel, the file shows the same. False where nothing was painted.
    /// </summary>
    public bool SamePixels { get; init; }

    /// <summary>
    /// What the run that painted it again had to say, such as that it could not have as many threads; empty when all is well.
    /// </summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>What of engine, runtime, device and graphs is not as it was, in words.</summary>
    public required IReadOnlyList<string> Changes { get; init; }

    /// <summary>Whether the record paints what the file shows.</summary>
    public bool Holds => Outcome is VerificationOutcome.SameBytes or VerificationOutcome.SameLatents;
}
