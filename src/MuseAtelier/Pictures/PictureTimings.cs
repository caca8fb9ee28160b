namespace MuseAtelier;

/// <summary>The time that each part of a picture took. Parts that a batch runs once are divided equally among its pictures.</summary>
public sealed record PictureTimings
{
    /// <summary>Creates the timings of a picture.</summary>
    /// <param name="text">The picture's share of tokenizing, text encoders, cross-attention and time embeddings.</param>
    /// <param name="denoising">The picture's share of all steps.</param>
    /// <param name="decoding">The VAE and the conversion to bytes.</param>
    public PictureTimings(TimeSpan text, TimeSpan denoising, TimeSpan decoding) =>
        (Text, Denoising, Decoding) = (text, denoising, decoding);

    /// <summary>The picture's share of tokenizing, text encoders, cross-attention and time embeddings.</summary>
    public TimeSpan Text { get; init; }

    /// <summary>
    /// The picture's share of preparing and encoding the picture that it is painted from, which is done once for a series; zero if there is
    /// none.
    /// </summary>
    public TimeSpan Encoding { get; init; }

    /// <summary>
    /// The picture's share of putting its LoRAs in force, or of taking others away; zero where the batch before had the same ones. On a
    /// processor the weights of a part are merged when it first runs, and that time belongs to the part.
    /// </summary>
    public TimeSpan Merging { get; init; }

    /// <summary>The picture's share of all steps.</summary>
    public TimeSpan Denoising { get; init; }

    /// <summary>
    /// The time between two passes: decoding the first one where its pixels are enlarged, and enlarging; zero without a second pass.
    /// </summary>
    public TimeSpan Enlarging { get; init; }

    /// <summary>The VAE and the conversion to bytes.</summary>
    public TimeSpan Decoding { get; init; }

    /// <summary>The time of each step, for the whole batch; of both passes, one after the other.</summary>
    public required IReadOnlyList<TimeSpan> Steps { get; init; }

    /// <summary>The part of the decoding from decoded numbers to bytes on the host, with the frame.</summary>
    public required TimeSpan PostProcessing { get; init; }

    /// <summary>Managed bytes that the denoising loop of the batch allocated on its thread.</summary>
    public required long DenoisingManagedBytes { get; init; }

    /// <summary>All parts together.</summary>
    public TimeSpan Total => Merging + Text + Encoding + Denoising + Enlarging + Decoding;
}
