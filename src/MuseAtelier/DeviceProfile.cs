using MuseAtelier.Packages;

namespace MuseAtelier;

/// <summary>Working memory that a component's graphs take from the arena while they run.</summary>
/// <param name="Component">The component: one of <see cref="ComponentNames"/>.</param>
/// <param name="Bytes">Bytes whatever the picture's size.</param>
/// <param name="BytesPerPixel">Bytes for each pixel of the latent and each row of the batch.</param>
/// <param name="Source">Where the numbers come from.</param>
public sealed record ArenaCost(string Component, long Bytes, double BytesPerPixel, string Source)
{
    /// <summary>The same with sessions that take turns, which are made with less care for their runs; null where that makes no difference.</summary>
    public double? RotationBytesPerPixel { get; init; }
}

/// <summary>What a session costs that holds constants.</summary>
/// <param name="HeldFactor">Bytes that it holds for each byte of its constants.</param>
/// <param name="MakingFactor">Bytes that it takes at most while it is made, for each byte of its constants.</param>
/// <param name="Seconds">Seconds of making, first running and releasing it, beside its constants.</param>
/// <param name="BytesPerSecond">Bytes of constants a second that are read and arranged.</param>
public sealed record SessionCost(double HeldFactor, double MakingFactor, double Seconds, double BytesPerSecond);

/// <summary>What a kind of device costs and how fast it is: all that a plan needs to know of it. Measured, or as near to that as is known.</summary>
public sealed record DeviceProfile
{
    /// <summary>The device in words.</summary>
    public required string Name { get; init; }

    /// <summary>Bytes that are gone whatever is loaded: context and libraries' code, or the process itself.</summary>
    public required long FixedBytes { get; init; }

    /// <summary>What of the fixed bytes is the device's context, which differs from card to card; 0 where there is none.</summary>
    public long ContextBytes { get; init; }

    /// <summary>Bytes of code that NVIDIA's libraries load for any plan as it runs; part of every plan's other figures.</summary>
    public long LibraryBytes { get; init; }

    /// <summary>Bytes of handles of the device's libraries that each session has, for each thread that made or runs it.</summary>
    public long SessionBytes { get; init; }

    /// <summary>Bytes that a plan leaves free, for what no sum foresees.</summary>
    public required long MarginBytes { get; init; }

    /// <summary>
    /// Whether transformer weights are used where their file is mapped, as a processor can: they take no memory that counts, but are cast
    /// to fp32 in the arena, a stage at a time.
    /// </summary>
    public required bool MapsWeights { get; init; }

    /// <summary>Sessions that stay.</summary>
    public required SessionCost KeptSessions { get; init; }

    /// <summary>Sessions that take turns.</summary>
    public required SessionCost RotatingSessions { get; init; }

    /// <summary>Seconds of a step that are there however many pictures are denoised together.</summary>
    public double StepSeconds { get; init; }

    /// <summary>Operations a second of the denoising network; a multiplication and an addition are two.</summary>
    public required double OperationsPerSecond { get; init; }

    /// <summary>Operations a second of text encoders, cross-attention and time embeddings: few rows, bound by reading their weights.</summary>
    public required double NarrowOperationsPerSecond { get; init; }

    /// <summary>Seconds of decoding for each pixel of a latent.</summary>
    public required double DecodingSecondsPerPixel { get; init; }

    /// <summary>Seconds that a tile costs beside its pixels.</summary>
    public required double TileSeconds { get; init; }

    /// <summary>Bytes a second from pinned memory to the device.</summary>
    public double CopyBytesPerSecond { get; init; } = double.PositiveInfinity;

    /// <summary>Bytes a second from a mapped file through the staging ring to the device.</summary>
    public double StagedBytesPerSecond { get; init; } = double.PositiveInfinity;

    /// <summary>Seconds that a streamed stage costs in every run beside its copy: the work waits for a copy, and a copy for the work.</summary>
    public double StreamedStageSeconds { get; init; }

    /// <summary>Bytes that a captured step takes; null where steps cannot be captured.</summary>
    public long? CaptureBytes { get; init; }

    /// <summary>What a captured step takes of a plain one's time.</summary>
    public double CapturedShare { get; init; } = 1;

    /// <summary>Seconds that it costs a picture when the arena is emptied between its phases and grows again.</summary>
    public required double ArenaSeconds { get; init; }

    /// <summary>Working memory, component by component.</summary>
    public required IReadOnlyList<ArenaCost> Arenas { get; init; }

    /// <summary>An NVIDIA H100 or H200 with the CUDA lowering.</summary>
    public static DeviceProfile Hopper { get; } = new()
    {
        Name = "NVIDIA H100 or H200",
        // H200: 288 MiB with the context and the libraries alone.
        FixedBytes = 300L << 20,
        ContextBytes = 290L << 20,
        // H100: the process held 310 MiB before and 416 MiB after the first pictures with sessions in turn; 678 MiB after others, all resident.
        LibraryBytes = 106L << 20,
        // cudnnCreate takes 8 to 10 MiB; each session has a handle for the thread that runs it, and one more where another thread made it.
        SessionBytes = 9L << 20,
        MarginBytes = 96L << 20,
        MapsWeights = false,
        // H200: a step whose thirteen sessions with 636 MiB of constants took turns took 1.3 s.
        KeptSessions = new SessionCost(1.1, 2, 0.08, 2e9),
        RotatingSessions = new SessionCost(1.1, 2, 0.08, 2e9),
        // H200, 1024x1024, captured, guidance pairs of one, two and four pictures: 31.5, 58.8 and 114.7 ms a step. One pair counts as 14.57e12 operations.
        StepSeconds = 0.004,
        OperationsPerSecond = 5.13e14,
        NarrowOperationsPerSecond = 2e13,
        // H200: 29 ms whole at 1024x1024.
        DecodingSecondsPerPixel = 0.029 / (128 * 128),
        TileSeconds = 0.002,
        CopyBytesPerSecond = 51e9,
        StagedBytesPerSecond = 8e9,
        // H200, captured: 0.52, 0.59 and 0.64 ms a step with 24, 28 and 30 streamed stages.
        StreamedStageSeconds = 21e-6,
        CaptureBytes = 64L << 20,
        CapturedShare = 0.96,
        ArenaSeconds = 0.01,
        Arenas =
        [
            new(ComponentNames.ClipL, 48L << 20, 0, "assumed"),
            new(ComponentNames.ClipG, 64L << 20, 0, "assumed"),
            new(ComponentNames.CrossAttention, 32L << 20, 0, "assumed"),
            new(ComponentNames.TimeEmbedding, 32L << 20, 0, "assumed"),
            new(ComponentNames.UNet, 32L << 20, 9000, "H200: 1.3 GiB at 1024x1024, batch 2, all streamed, less weights and tensors between stages"),
            new(ComponentNames.VaeDecoder, 32L << 20, 138_240, "H200: 2160 MiB at 1024x1024"),
            new(ComponentNames.VaeDecoderFp32, 64L << 20, 276_480, "H200: 4.3 GiB at 1024x1024, twice the fp16 decoder's"),
            new(ComponentNames.Finishing, 0, 3 * 64 * 3 * sizeof(float), "three temporaries as large as the fp32 picture"),
            new(ComponentNames.Framing, 0, 5 * 64 * 3 * sizeof(float), "the same, and two of its canvas"),
        ],
    };

    /// <summary>A processor with the portable lowering.</summary>
    public static DeviceProfile Processor { get; } = new()
    {
        Name = "processor",
        FixedBytes = 96L << 20,
        MarginBytes = 96L << 20,
        MapsWeights = true,
        // Two cores, constants in fp16: cast to fp32, and for a session that stays arranged in blocks of channels.
        KeptSessions = new SessionCost(2.2, 8, 0.05, 2e7),
        RotatingSessions = new SessionCost(2.2, 3, 0.05, 9e7),
        OperationsPerSecond = 3e11,
        NarrowOperationsPerSecond = 2e11,
        DecodingSecondsPerPixel = 0.0017,
        TileSeconds = 0.05,
        ArenaSeconds = 0.05,
        Arenas =
        [
            new(ComponentNames.ClipL, 16L << 20, 0, "assumed"),
            new(ComponentNames.ClipG, 16L << 20, 0, "assumed"),
            new(ComponentNames.CrossAttention, 16L << 20, 0, "assumed"),
            new(ComponentNames.TimeEmbedding, 16L << 20, 0, "assumed"),
            new(ComponentNames.UNet, 48L << 20, 30_000, "full size at 256x256 and 512x512, 2 cores; with turns the widest convolution's columns beside") { RotationBytesPerPixel = 66_000 },
            new(ComponentNames.VaeDecoder, 32L << 20, 345_000, "full size at 256x256 and 512x512, 2 cores"),
            new(ComponentNames.Finishing, 0, 3 * 64 * 3 * sizeof(float), "three temporaries as large as the fp32 picture"),
            new(ComponentNames.Framing, 0, 5 * 64 * 3 * sizeof(float), "the same, and two of its canvas"),
        ],
    };

    // Costs were taken from packages in a lowering's own precision. In fp32 every number is twice as wide, and constants that are stored in fp16 are widened
    // when a session is made; where fp16 is rounded to on a processor, both widths of a value are there at once.
    internal DeviceProfile For(Lowering lowering, Precisions precisions)
    {
        Precisions own = Precisions.Of(lowering);
        if (precisions == own) return this;
        bool isWidened = lowering == Lowering.Cuda && (precisions.UNet != own.UNet || precisions.Vae != own.Vae);
        SessionCost Widened(SessionCost cost) => isWidened ? cost with { HeldFactor = 2 * cost.HeldFactor, MakingFactor = 2 * cost.MakingFactor } : cost;
        return this with
        {
            KeptSessions = Widened(KeptSessions),
            RotatingSessions = Widened(RotatingSessions),
            Arenas = [.. Arenas.Select(arena => arena with
            {
                Bytes = (long)(arena.Bytes * Factor(arena.Component)),
                BytesPerPixel = arena.BytesPerPixel * Factor(arena.Component),
                RotationBytesPerPixel = arena.RotationBytesPerPixel * Factor(arena.Component),
            })],
        };

        double Factor(string component) => component switch
        {
            ComponentNames.ClipL or ComponentNames.ClipG => Width(precisions.TextEncoders, own.TextEncoders),
            ComponentNames.CrossAttention or ComponentNames.TimeEmbedding or ComponentNames.UNet => Width(precisions.UNet, own.UNet),
            // H200, fp32, 1024x1024: 8.1 GiB, for cuDNN turns images to another layout and back around each convolution.
            ComponentNames.VaeDecoder => lowering == Lowering.Cuda && precisions.Vae == Precision.Fp32 ? 4 : Width(precisions.Vae, own.Vae),
            _ => 1,
        };

        double Width(Precision precision, Precision own) => precision == own ? 1 : precision == Precision.Fp32 ? 2 : lowering == Lowering.Portable ? 1.5 : 1;
    }

    // A card with more processors has a larger context. Only more counts: what loads into it later may differ too.
    internal DeviceProfile WithContext(long? contextBytes) => contextBytes > ContextBytes
        ? this with { FixedBytes = FixedBytes + contextBytes.Value - ContextBytes, ContextBytes = contextBytes.Value }
        : this;

    // NVIDIA's libraries keep the code that engines of this process loaded before. What this engine would load itself is in its plans already.
    internal DeviceProfile WithBaseline(long? baselineBytes) => WithContext(baselineBytes - LibraryBytes);

    internal long ArenaBytes(string component, PictureShape shape, bool sessionsTurn = false) =>
        Arenas.FirstOrDefault(arena => arena.Component == component) is { } cost
            ? cost.Bytes + (long)Math.Ceiling((sessionsTurn ? cost.RotationBytesPerPixel ?? cost.BytesPerPixel : cost.BytesPerPixel) * shape.Batch * shape.LatentHeight * shape.LatentWidth)
            : 0;
}
