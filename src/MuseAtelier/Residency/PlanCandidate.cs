namespace MuseAtelier.Residency;

/// <summary>A whole plan in numbers. Its memory and its time do not depend on the budget.</summary>
/// <param name="Batch">The number of pictures that are denoised together.</param>
/// <param name="Conditioning">Where the weights of the components that run before the steps lie.</param>
/// <param name="UNet">Where the UNet's weights lie.</param>
/// <param name="Mode">The memory that stays allocated between the phases.</param>
/// <param name="Tiles">How the VAE decodes.</param>
/// <param name="Seconds">Estimated seconds of one picture.</param>
internal readonly record struct PlanCandidate(
    BatchChoice Batch, ConditioningPlacement Conditioning, UNetPlacement UNet, RunMode Mode, TileChoice Tiles, double Seconds)
{
    private const double BucketStep = 1.01;

    /// <summary>Number of resident UNet stages that are swapped out: an index into <see cref="UNetPlacement.Swappable"/>.</summary>
    public int SwappedOut { get; init; }

    /// <summary>
    /// The logarithm of the time in steps of 1 %. The estimates are no more exact than that, so candidates of one bucket count as equally
    /// fast.
    /// </summary>
    public int SpeedBucket => (int)Math.Round(Math.Log(Seconds, BucketStep));

    /// <summary>The seconds that represent all candidates of the bucket.</summary>
    public double BucketSeconds => Math.Pow(BucketStep, SpeedBucket);

    /// <summary>Bytes of weights that are copied to the device in a batch, each streamed stage counted once.</summary>
    public long CopiedBytes => Conditioning.StreamedBytes + UNet.Choice.StreamedBytes + SwappedBytes;

    /// <summary>Bytes of the stages that are swapped out.</summary>
    public long SwappedBytes => UNet.Swappable[SwappedOut];
}

/// <summary>The memory that stays allocated between the phases.</summary>
/// <param name="KeepsArena">
/// Whether the working memory of text and denoising stays between the phases. A captured step needs this, because it holds addresses in it.
/// </param>
/// <param name="Captures">Whether denoising steps are captured.</param>
/// <param name="DecoderStays">Whether the decoder's sessions stay loaded in every phase.</param>
/// <param name="KeepsDecodingArena">Whether the decoder's working memory stays as well.</param>
internal readonly record struct RunMode(bool KeepsArena, bool Captures, bool DecoderStays, bool KeepsDecodingArena)
{
    /// <summary>
    /// Whether the encoder's sessions stay loaded in every phase. Its working memory is given back after each picture all the same.
    /// </summary>
    public bool EncoderStays { get; init; }
}
