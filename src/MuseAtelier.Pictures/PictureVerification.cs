namespace MuseAtelier.Pictures;

/// <summary>The result of comparing a picture with the one that its record paints.</summary>
public enum VerificationOutcome
{
    /// <summary>Painting again gives the file byte for byte.</summary>
    SameBytes,

    /// <summary>
    /// Every step gives the same latents, but the file was encoded in another way, for example by another version's encoder, or the
    /// picture was decoded in another way. <see cref="PictureVerification.SamePixels"/> distinguishes the two.
    /// </summary>
    SameLatents,

    /// <summary>Every step gives the same latents, but the file shows another picture: it was changed after painting.</summary>
    OtherPicture,

    /// <summary>The latents or the noise of the two runs differ from some step on.</summary>
    Diverged,

    /// <summary>The atelier has another model; nothing was painted.</summary>
    AnotherModel,
}

/// <summary>The result of verifying a picture.</summary>
public sealed record PictureVerification
{
    internal PictureVerification(VerificationOutcome outcome, PictureRecord record) => (Outcome, Record) = (outcome, record);

    /// <summary>How the picture compares with the one painted again.</summary>
    public VerificationOutcome Outcome { get; init; }

    /// <summary>The picture's record.</summary>
    public PictureRecord Record { get; init; }

    /// <summary>The first step whose noise or latents differ: 0 for the start, then the step's number; null if none differs.</summary>
    public int? DivergesAtStep { get; init; }

    /// <summary>Whether the noise differs at that step; if false, only the latents do.</summary>
    public bool NoiseDiverges { get; init; }

    /// <summary>
    /// The largest difference of a pixel's channel between the file and the picture painted again, 0 to 255; null if the sizes differ or
    /// nothing was painted.
    /// </summary>
    public int? LargestDifference { get; init; }

    /// <summary>
    /// Peak signal-to-noise ratio of the file against the picture painted again, in dB; +infinity if they are equal, null if the sizes
    /// differ or nothing was painted.
    /// </summary>
    public double? Psnr { get; init; }

    /// <summary>
    /// Whether painting again gives the original pixels: their digest is that of the record and, if the file is lossless, its pixels are
    /// equal too. False if nothing was painted.
    /// </summary>
    public bool SamePixels { get; init; }

    /// <summary>
    /// Notices of the file and of the run that painted the picture again, for example that fewer threads were available; empty if there
    /// are none.
    /// </summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>The changes of engine, runtime, device, plan and graphs since the picture was painted, in words.</summary>
    public required IReadOnlyList<string> Changes { get; init; }

    /// <summary>Whether painting again gives the picture that the file shows.</summary>
    public bool Holds => Outcome is VerificationOutcome.SameBytes or VerificationOutcome.SameLatents;
}
