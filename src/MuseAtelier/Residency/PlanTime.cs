namespace MuseAtelier.Residency;

/// <summary>The estimated time of a candidate, in seconds.</summary>
/// <param name="request">The pictures.</param>
/// <param name="device">The costs of the device.</param>
/// <param name="unetSessions">The sessions of the UNet.</param>
/// <param name="decoderSessions">The sessions of the decoder.</param>
/// <param name="encoderSessions">The sessions of the encoder.</param>
internal sealed class PlanTime(
    ResidencyRequest request,
    DeviceProfile device,
    SessionWeights unetSessions,
    SessionWeights decoderSessions,
    SessionWeights encoderSessions)
{
    /// <summary>
    /// Seconds of encoding an existing picture, once per batch; with loading the encoder unless it stays. 0 if none is encoded.
    /// </summary>
    /// <param name="tiles">The tiles.</param>
    /// <param name="mode">Whether the encoder stays.</param>
    public double EncodingSeconds(TileChoice tiles, RunMode mode)
    {
        if (tiles.Encoding is not { } encoding) return 0;
        return encoding.Seconds + (mode.EncoderStays ? device.ArenaSeconds : encoderSessions.Seconds);
    }

    /// <summary>Seconds of one picture for decoding it, and for its share of the encoding.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="tiles">The tiles.</param>
    /// <param name="mode">Whether the encoder stays.</param>
    public double TileSeconds(BatchChoice batch, TileChoice tiles, RunMode mode) =>
        tiles.Seconds + EncodingSeconds(tiles, mode) * batch.Batches / request.Count;

    /// <summary>Seconds of one picture without its encoding, its decoding and without swapping.</summary>
    public double Seconds(BatchChoice batch, ConditioningPlacement conditioning, UNetPlacement unet, RunMode mode)
    {
        // The encoder remembers its texts, so only the first batch waits for them.
        double batchSeconds = conditioning.ConditioningSeconds + LoadingSeconds(mode) + DenoisingSeconds(unet, mode);
        return (conditioning.TextSeconds + batch.Batches * batchSeconds) / request.Count;
    }

    /// <summary>Seconds of a batch for growing arenas again and for loading the decoder.</summary>
    public double LoadingSeconds(RunMode mode) =>
        (mode.KeepsArena ? 0 : device.ArenaSeconds)
        + (mode.KeepsDecodingArena ? 0 : device.ArenaSeconds)
        + (mode.DecoderStays ? 0 : decoderSessions.Seconds);

    /// <summary>Seconds of all steps of a batch.</summary>
    public double DenoisingSeconds(UNetPlacement unet, RunMode mode) =>
        Steps(unet, mode).Sum + request.Steps * RotationSeconds(unet) + RowChangeSeconds(mode);

    /// <summary>
    /// Seconds that changes between the numbers of rows cost in a batch. A guidance interval has two changes, counting that from the last
    /// step of a batch to the first step of the next one.
    /// </summary>
    public double RowChangeSeconds(RunMode mode) =>
        mode.Captures || request.StepsOfThePromptAlone == 0 ? 0 : 2 * device.RowChangeSeconds;

    /// <summary>
    /// Seconds of one guided step of a batch, or of one step if none is guided. A change of the prompts counts in every step.
    /// </summary>
    public double StepSeconds(UNetPlacement unet, RunMode mode)
    {
        int count = request.Steps - request.StepsOfThePromptAlone;
        StepSeconds steps = Steps(unet, mode);
        return count == 0 ? 0 : steps.Guided / count + steps.Switches / request.Steps + RotationSeconds(unet);
    }

    /// <summary>Seconds of one step outside of the guidance interval; 0 if there is none.</summary>
    public double UnguidedStepSeconds(UNetPlacement unet, RunMode mode)
    {
        int count = request.StepsOfThePromptAlone;
        StepSeconds steps = Steps(unet, mode);
        return count == 0 ? 0 : steps.Unguided / count + steps.Switches / request.Steps + RotationSeconds(unet);
    }

    /// <summary>Seconds of copying swapped-out weights back, once per batch.</summary>
    /// <param name="unet">The placement of the UNet.</param>
    /// <param name="swappedOut">Number of stages that are swapped out.</param>
    public double SwappingSeconds(UNetPlacement unet, int swappedOut) =>
        unet.Swappable[swappedOut] / (IsSwapPinned(unet, swappedOut) ? device.CopyBytesPerSecond : device.StagedBytesPerSecond);

    /// <summary>
    /// Whether swapped-out weights fit into the pinned memory that the streamed ones leave; otherwise they come from the mapped file.
    /// </summary>
    public static bool IsSwapPinned(UNetPlacement unet, int swappedOut) =>
        unet.Swappable[swappedOut] <= unet.SpareBytes;

    private static StepSeconds Steps(UNetPlacement unet, RunMode mode) => mode.Captures ? unet.Captured : unet.Plain;

    private double RotationSeconds(UNetPlacement unet) => unet.RotatesSessions ? unetSessions.Seconds : 0;
}
