using MuseAtelier.Format;
using MuseAtelier.Recipe;

namespace MuseAtelier;

/// <summary>The working memory that a component's graphs take from the arena while they run.</summary>
/// <param name="Component">The component: one of <see cref="ComponentNames"/>.</param>
/// <param name="Bytes">Bytes that do not depend on the picture's size.</param>
/// <param name="BytesPerPixel">Bytes for each pixel of the latent and each row of the batch.</param>
/// <param name="Source">The origin of the numbers.</param>
internal sealed record ArenaCost(string Component, long Bytes, double BytesPerPixel, string Source)
{
    /// <summary>
    /// <see cref="BytesPerPixel"/> with session rotation. Rotating sessions are created faster, with fewer optimisations, and may
    /// need more working memory. Null if there is no difference.
    /// </summary>
    public double? RotationBytesPerPixel { get; init; }
}

/// <summary>The cost of a session that holds constants.</summary>
/// <param name="HeldFactor">Bytes that the session holds for each byte of its constants.</param>
/// <param name="MakingFactor">Peak bytes for each byte of its constants while the session is created.</param>
/// <param name="Seconds">Seconds to create, first run and release the session, without its constants.</param>
/// <param name="BytesPerSecond">Bytes of constants per second that are read and arranged.</param>
internal sealed record SessionCost(double HeldFactor, double MakingFactor, double Seconds, double BytesPerSecond);

/// <summary>
/// The memory costs and the speed of a kind of device, as far as a plan needs them. The numbers are measured, or the best that is known.
/// </summary>
internal sealed record DeviceProfile
{
    /// <summary>The device in words.</summary>
    public required string Name { get; init; }

    /// <summary>Bytes that are taken before anything is loaded: by the context and the libraries' code, or by the process itself.</summary>
    public required long FixedBytes { get; init; }

    /// <summary>
    /// The part of <see cref="FixedBytes"/> that is the device's context, which differs from card to card; 0 if there is none.
    /// </summary>
    public long ContextBytes { get; init; }

    /// <summary>
    /// Bytes of code that NVIDIA's libraries load while any plan runs. The other numbers of a plan already include them.
    /// </summary>
    public long LibraryBytes { get; init; }

    /// <summary>Bytes of library handles that each session has, for each thread that created or runs it.</summary>
    public long SessionBytes { get; init; }

    /// <summary>Bytes that a plan leaves free as a safety margin.</summary>
    public required long MarginBytes { get; init; }

    /// <summary>
    /// Whether the device reads transformer weights directly from the memory-mapped file, as a processor can. Such weights take no memory
    /// of the budget, but each stage casts its own to fp32 in the arena.
    /// </summary>
    public required bool MapsWeights { get; init; }

    /// <summary>The cost of a session that stays loaded.</summary>
    public required SessionCost KeptSessions { get; init; }

    /// <summary>The cost of a session in rotation.</summary>
    public required SessionCost RotatingSessions { get; init; }

    /// <summary>Seconds that a step takes at any batch size, before the time for its operations.</summary>
    public double StepSeconds { get; init; }

    /// <summary>Operations per second of the denoiser; a multiplication and an addition count as two.</summary>
    public required double OperationsPerSecond { get; init; }

    /// <summary>
    /// Operations per second of text encoders, cross-attention and time embeddings. They have few rows, so that reading the weights
    /// limits them.
    /// </summary>
    public required double NarrowOperationsPerSecond { get; init; }

    /// <summary>Seconds of decoding for each pixel of a latent.</summary>
    public required double DecodingSecondsPerPixel { get; init; }

    /// <summary>Seconds of encoding an existing picture for each pixel of its latent.</summary>
    public required double EncodingSecondsPerPixel { get; init; }

    /// <summary>Seconds that a tile costs in addition to its pixels.</summary>
    public required double TileSeconds { get; init; }

    /// <summary>Bytes per second from pinned memory to the device.</summary>
    public double CopyBytesPerSecond { get; init; } = double.PositiveInfinity;

    /// <summary>Bytes per second from a mapped file through the staging ring to the device.</summary>
    public double StagedBytesPerSecond { get; init; } = double.PositiveInfinity;

    /// <summary>
    /// Seconds that each run of a streamed stage costs in addition to its copy, because computation and copies wait for each other.
    /// </summary>
    public double StreamedStageSeconds { get; init; }

    /// <summary>Bytes that a captured step takes; null if the device cannot capture steps.</summary>
    public long? CaptureBytes { get; init; }

    /// <summary>The time of a captured step as a share of the time of a plain one.</summary>
    public double CapturedShare { get; init; } = 1;

    /// <summary>
    /// Seconds that a step which is not captured costs more if it has another number of rows than the step before, because the
    /// convolutions then choose their algorithms again.
    /// </summary>
    public double RowChangeSeconds { get; init; }

    /// <summary>Seconds that a picture costs more when the arena is trimmed between its phases and grows again.</summary>
    public required double ArenaSeconds { get; init; }

    /// <summary>The working memory of each component.</summary>
    public required IReadOnlyList<ArenaCost> Arenas { get; init; }

    /// <summary>An NVIDIA H100 or H200 with the CUDA lowering.</summary>
    public static DeviceProfile Hopper { get; } = new()
    {
        Name = "NVIDIA H100 or H200",
        // H200: 288 MiB with the context and the libraries alone.
        FixedBytes = 300L << 20,
        ContextBytes = 290L << 20,
        // H100: the process held 310 MiB before and 416 MiB after the first pictures with session rotation; 678 MiB after others, all
        // resident.
        LibraryBytes = 106L << 20,
        // cudnnCreate takes 8 to 10 MiB. A session has a handle for the thread that runs it, and a second one if another thread created it.
        SessionBytes = 9L << 20,
        MarginBytes = 96L << 20,
        MapsWeights = false,
        // H200: a step with thirteen sessions in rotation, which held 636 MiB of constants, took 1.3 s.
        KeptSessions = new SessionCost(1.1, 2, 0.08, 2e9),
        RotatingSessions = new SessionCost(1.1, 2, 0.08, 2e9),
        // H200, 1024x1024, captured, guided batches of one, two and four pictures: 31.5, 58.8 and 114.7 ms a step. One guided picture
        // counts as 14.57e12 operations.
        StepSeconds = 0.004,
        OperationsPerSecond = 5.13e14,
        NarrowOperationsPerSecond = 2e13,
        // H200: 29 ms whole at 1024x1024.
        DecodingSecondsPerPixel = 0.029 / (128 * 128),
        // Not measured: the decoder's.
        EncodingSecondsPerPixel = 0.029 / (128 * 128),
        TileSeconds = 0.002,
        CopyBytesPerSecond = 51e9,
        StagedBytesPerSecond = 8e9,
        // H200, captured: 0.52, 0.59 and 0.64 ms a step with 24, 28 and 30 streamed stages.
        StreamedStageSeconds = 21e-6,
        CaptureBytes = 64L << 20,
        CapturedShare = 0.96,
        // H100, full size under 4 GiB: 0.23 and 0.26 s.
        RowChangeSeconds = 0.24,
        ArenaSeconds = 0.01,
        Arenas =
        [
            new(ComponentNames.ClipL, 48L << 20, 0, "assumed"),
            new(ComponentNames.ClipG, 64L << 20, 0, "assumed"),
            new(ComponentNames.CrossAttention, 32L << 20, 0, "assumed"),
            new(ComponentNames.TimeEmbedding, 32L << 20, 0, "assumed"),
            new(
                ComponentNames.UNet, 32L << 20, 9000,
                "H200: 1.3 GiB at 1024x1024, batch 2, all streamed, less weights and tensors between stages"),
            new(
                ComponentNames.VaeEncoder, 32L << 20, 138_240,
                "not measured: the decoder's, whose tensors have at least as many channels at every size of the plane"),
            new(ComponentNames.VaeDecoder, 32L << 20, 138_240, "H200: 2160 MiB at 1024x1024"),
            new(ComponentNames.VaeDecoderFp32, 64L << 20, 276_480, "H200: 4.3 GiB at 1024x1024, twice the fp16 decoder's"),
            new(ComponentNames.PostProcessing, 0, 3 * 64 * 3 * sizeof(float), "three temporaries as large as the fp32 picture"),
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
        // Two cores, constants in fp16. They are cast to fp32; a session that stays also arranges them in blocks of channels.
        KeptSessions = new SessionCost(2.2, 8, 0.05, 2e7),
        RotatingSessions = new SessionCost(2.2, 3, 0.05, 9e7),
        OperationsPerSecond = 3e11,
        NarrowOperationsPerSecond = 2e11,
        DecodingSecondsPerPixel = 0.0017,
        // 44 % of the decoder's time at 512x512.
        EncodingSecondsPerPixel = 0.00075,
        TileSeconds = 0.05,
        ArenaSeconds = 0.05,
        Arenas =
        [
            new(ComponentNames.ClipL, 16L << 20, 0, "assumed"),
            new(ComponentNames.ClipG, 16L << 20, 0, "assumed"),
            new(ComponentNames.CrossAttention, 16L << 20, 0, "assumed"),
            new(ComponentNames.TimeEmbedding, 16L << 20, 0, "assumed"),
            new(
                ComponentNames.UNet, 48L << 20, 30_000,
                "full size at 256x256 and 512x512, 2 cores; with session rotation also the columns of the widest convolution")
            {
                RotationBytesPerPixel = 66_000,
            },
            new(
                ComponentNames.VaeEncoder, 32L << 20, 105_000,
                "full size at 256x256 and 512x512, 2 cores: 99 and 387 MiB, where the decoder takes 334 and 1334 MiB"),
            new(ComponentNames.VaeDecoder, 32L << 20, 345_000, "full size at 256x256 and 512x512, 2 cores"),
            new(ComponentNames.PostProcessing, 0, 3 * 64 * 3 * sizeof(float), "three temporaries as large as the fp32 picture"),
            new(ComponentNames.Framing, 0, 5 * 64 * 3 * sizeof(float), "the same, and two of its canvas"),
        ],
    };

    // The costs were measured with packages in a lowering's own precision. In fp32 every number is twice as wide, and constants that are
    // stored in fp16 are widened when a session is created. A processor that rounds to fp16 holds both widths of a value at once.
    internal DeviceProfile For(Lowering lowering, Precisions precisions)
    {
        Precisions own = Precisions.Of(lowering);
        if (precisions == own) return this;
        bool isWidened = lowering == Lowering.Cuda && (precisions.UNet != own.UNet || precisions.Vae != own.Vae);
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

        SessionCost Widened(SessionCost cost) => isWidened
            ? cost with { HeldFactor = 2 * cost.HeldFactor, MakingFactor = 2 * cost.MakingFactor }
            : cost;

        double Factor(string component) => PipelineRecipe.Of(component).Part switch
        {
            ModelPart.TextEncoders => Width(precisions.TextEncoders, own.TextEncoders),
            ModelPart.UNet => Width(precisions.UNet, own.UNet),
            // H200, fp32, 1024x1024: 8.1 GiB, because cuDNN converts images to another layout and back around each convolution.
            ModelPart.Vae when lowering == Lowering.Cuda && precisions.Vae.Arithmetic == Precision.Fp32 => 4,
            ModelPart.Vae => Width(precisions.Vae, own.Vae),
            _ => 1,
        };

        double Width(PartPrecision precision, PartPrecision own)
        {
            if (precision == own) return 1;
            if (precision.Arithmetic == Precision.Fp32) return 2;
            return lowering == Lowering.Portable ? 1.5 : 1;
        }
    }

    // A card with more multiprocessors has a larger context. A smaller context does not lower the costs, because the code that loads into
    // it later may differ too.
    internal DeviceProfile WithContext(long? contextBytes) => contextBytes > ContextBytes
        ? this with { FixedBytes = FixedBytes + contextBytes.Value - ContextBytes, ContextBytes = contextBytes.Value }
        : this;

    // NVIDIA's libraries keep code that earlier engines of this process loaded. The plans of this engine already include what it would
    // load.
    internal DeviceProfile WithBaseline(long? baselineBytes) => WithContext(baselineBytes - LibraryBytes);

    internal long ArenaBytes(string component, PictureShape shape, bool rotatesSessions = false)
    {
        if (Arenas.FirstOrDefault(arena => arena.Component == component) is not { } cost) return 0;
        double perPixel = rotatesSessions ? cost.RotationBytesPerPixel ?? cost.BytesPerPixel : cost.BytesPerPixel;
        return cost.Bytes + (long)Math.Ceiling(perPixel * shape.Rows * shape.LatentHeight * shape.LatentWidth);
    }
}
