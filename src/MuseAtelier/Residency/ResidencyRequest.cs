using MuseAtelier.Residency;

namespace MuseAtelier;

/// <summary>The pictures to plan for, and the memory that they may take.</summary>
internal sealed record ResidencyRequest
{
    /// <summary>
    /// The budget if none is declared: the memory that SDXL takes in other programs, which leaves a card of 24 GB some memory for other
    /// work.
    /// </summary>
    public const long DefaultBudget = 19L << 30;

    /// <summary>
    /// Bytes that the process may hold: device memory as the driver counts it; on a processor, memory without the pages of mapped files.
    /// </summary>
    public long Budget { get; init; } = DefaultBudget;

    /// <summary>Width in px, a multiple of 8 from 256 to 4096.</summary>
    public int Width { get; init; } = 1024;

    /// <summary>Height in px, a multiple of 8 from 256 to 4096.</summary>
    public int Height { get; init; } = 1024;

    /// <summary>Evaluations of the UNet for a picture, 1 to 1000. A sampler has one or two for each step.</summary>
    public int Steps { get; init; } = 30;

    /// <summary>The number of pictures of one prompt.</summary>
    public int Count { get; init; } = 1;

    /// <summary>
    /// The number of pictures in a batch, 1 to <see cref="BatchSlot.LargestBatch"/> and no more than <see cref="Count"/>; null means the
    /// fastest.
    /// </summary>
    public int? BatchSize { get; init; }

    /// <summary>
    /// Bytes of host memory that the noise of one picture's steps takes besides its latents; for samplers of stochastic equations, whose
    /// noise comes from a tree.
    /// </summary>
    public long NoiseBytes { get; init; }

    /// <summary>
    /// Whether the guidance scale is above 1 in at least one step, which adds a row of the negative prompt for each picture.
    /// </summary>
    public bool Guided { get; init; } = true;

    /// <summary>
    /// The number of those <see cref="Steps"/> that are outside of the guidance interval, 0 to <see cref="Steps"/>. They have one row for
    /// each picture. Has no effect without guidance, where all steps have, and with several <see cref="PromptParts"/>, where none has.
    /// </summary>
    public int UnguidedSteps { get; init; }

    /// <summary>The number of chunks of 77 tokens that the longer of both prompts takes, 1 to 64.</summary>
    public int PromptChunks { get; init; } = 1;

    /// <summary>
    /// The number of parts of the prompt whose predictions are combined (AUTOMATIC1111's <c>AND</c>), 1 to 15. Each part has a row for each
    /// picture. Several parts have a row of the negative prompt in any case.
    /// </summary>
    public int PromptParts { get; init; } = 1;

    /// <summary>The number of different sets of prompts that the steps use (prompt editing), 1 to 64.</summary>
    public int PromptSets { get; init; } = 1;

    /// <summary>The frame that is painted with each picture; null means none.</summary>
    public PictureFrame? Frame { get; init; }

    /// <summary>Whether an existing picture is encoded before the first step.</summary>
    public bool EncodesSource { get; init; }

    /// <summary>Where the denoiser's weights may be between the steps.</summary>
    public OffloadMode Offload { get; init; } = OffloadMode.Auto;

    /// <summary>Whether the VAE decodes in tiles.</summary>
    public VaeTiling VaeTiling { get; init; } = VaeTiling.Auto;

    /// <summary>The size of the tiles with <see cref="VaeTiling.Tiled"/>; null means 64x64 latents.</summary>
    public TileSize? VaeTile { get; init; }

    /// <summary>
    /// Whether the VAE decodes in fp32 even where fp16 is the default. Has no effect if the package has no fp32 decoder.
    /// </summary>
    public bool DecodesInFp32 { get; init; }

    /// <summary>Whether LoRAs change weights.</summary>
    public bool HasLoras { get; init; }

    /// <summary>
    /// Bytes of host memory that weights take that LoRAs change, on a processor, which reads other weights from mapped files. On a card
    /// changed weights lie where the others do.
    /// </summary>
    public long MergedBytes { get; init; }

    /// <summary>
    /// The second pass, which paints the picture again at a larger size; null means none. This request then is the first pass. Neither its
    /// budget nor its placement of weights counts, but those of this request.
    /// </summary>
    public ResidencyRequest? SecondPass { get; init; }

    /// <summary>Bytes of host memory that may be pinned. Weights beyond that come from the mapped file, which is slower.</summary>
    public long PinnedBytes { get; init; } = long.MaxValue;

    /// <summary>Rows of each picture in a guided evaluation, or in every evaluation if none is guided.</summary>
    internal int RowsPerPicture => PromptParts + (HasNegative ? 1 : 0);

    /// <summary>The number of steps that have one row for each picture although others have more.</summary>
    internal int StepsOfThePromptAlone => Guided && PromptParts == 1 ? UnguidedSteps : 0;

    /// <summary>
    /// The most pictures in a batch: no more than there are, and no more rows than the kernels' indices reach for their size; 0 if a
    /// single picture has more.
    /// </summary>
    internal int LargestBatch =>
        Math.Min(Count, Math.Min(BatchSlot.LargestBatch, PlanRules.MostRowsOf(Width, Height) / RowsPerPicture));

    /// <summary>Runs of each text encoder. The negative prompt is counted once, because it seldom changes between steps.</summary>
    internal int TextRuns => PromptChunks * ((HasNegative ? 1 : 0) + PromptSets * PromptParts);

    /// <summary>The request with the given tiles for the VAE.</summary>
    internal ResidencyRequest InTiles(TilePlan tiles) => this with
    {
        VaeTiling = tiles.IsWhole ? VaeTiling.Whole : VaeTiling.Tiled,
        VaeTile = tiles.IsWhole ? null : new TileSize(tiles.TileHeight, tiles.TileWidth),
    };

    private bool HasNegative => Guided || PromptParts > 1;
}
