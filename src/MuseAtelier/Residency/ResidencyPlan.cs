using System.Text.Json.Serialization;
using MuseAtelier.Recipe;
using MuseAtelier.Residency;
using MuseAtelier.Streaming;

namespace MuseAtelier;

/// <summary>The place of a stage's weights.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StagePlacement>))]
public enum StagePlacement
{
    /// <summary>In device memory for the atelier's whole life.</summary>
    Resident,

    /// <summary>In device memory while the denoiser runs; freed for the other phases and copied back before the first step.</summary>
    SwappedOut,

    /// <summary>In pinned memory; copied into the streaming buffer in device memory each time the stage runs.</summary>
    Streamed,

    /// <summary>In the mapped file; copied through a ring of pinned memory into the streaming buffer each time the stage runs.</summary>
    Staged,

    /// <summary>In the mapped file, from which the device reads them directly.</summary>
    Mapped,

    /// <summary>In the stage's session as constants; the session stays loaded.</summary>
    Session,

    /// <summary>In the stage's session as constants; the session is created for each run and released after it.</summary>
    RotatingSession,
}

/// <summary>The plan of a stage.</summary>
public sealed record StagePlan
{
    internal StagePlan(string name, StagePlacement placement, long bytes)
    {
        Name = name;
        Placement = placement;
        Bytes = bytes;
    }

    /// <summary>The stage's name.</summary>
    public string Name { get; init; }

    /// <summary>The place of its weights.</summary>
    public StagePlacement Placement { get; init; }

    /// <summary>Bytes of its weights or constants in device memory.</summary>
    public long Bytes { get; init; }
}

/// <summary>The plan of a component.</summary>
public sealed record ComponentPlan
{
    internal ComponentPlan(string name, IReadOnlyList<StagePlan> stages)
    {
        Name = name;
        Stages = stages;
    }

    /// <summary>The component's name.</summary>
    public string Name { get; init; }

    /// <summary>Its stages in the order in which they run.</summary>
    public IReadOnlyList<StagePlan> Stages { get; init; }

    /// <summary>The places of the streamed and staged stages in the streaming buffer; null if there are none.</summary>
    internal StreamingBufferLayout? Buffer { get; init; }

    /// <summary>The bytes of weights in a place.</summary>
    /// <param name="placement">The place.</param>
    public long Bytes(StagePlacement placement) => Stages.Where(stage => stage.Placement == placement).Sum(stage => stage.Bytes);

    /// <summary>The number of stages whose weights are in a place.</summary>
    /// <param name="placement">The place.</param>
    public int Count(StagePlacement placement) => Stages.Count(stage => stage.Placement == placement);

    /// <summary>Whether sessions of the component are created for its runs and released after them.</summary>
    internal bool HasRotatingSessions => Count(StagePlacement.RotatingSession) > 0;
}

/// <summary>The tiles in which the VAE decodes.</summary>
public sealed record TilePlan
{
    internal TilePlan(int tileHeight, int tileWidth, int rows, int columns)
    {
        TileHeight = tileHeight;
        TileWidth = tileWidth;
        Rows = rows;
        Columns = columns;
    }

    /// <summary>Height of a tile, in latents.</summary>
    public int TileHeight { get; init; }

    /// <summary>Width of a tile, in latents.</summary>
    public int TileWidth { get; init; }

    /// <summary>Tiles from top to bottom. One row and one column mean the whole picture.</summary>
    public int Rows { get; init; }

    /// <summary>Tiles from left to right.</summary>
    public int Columns { get; init; }

    /// <summary>Whether the picture is decoded in one piece.</summary>
    [JsonIgnore]
    public bool IsWhole => Rows == 1 && Columns == 1;
}

/// <summary>A share of the memory that a phase takes.</summary>
public sealed record MemoryShare
{
    internal MemoryShare(string name, long bytes)
    {
        Name = name;
        Bytes = bytes;
    }

    /// <summary>The use of the memory, in words.</summary>
    public string Name { get; init; }

    /// <summary>The size of the share.</summary>
    public long Bytes { get; init; }
}

/// <summary>The memory that a phase takes.</summary>
public sealed record PhasePlan
{
    internal PhasePlan(PlanPhase phase, IReadOnlyList<MemoryShare> shares)
    {
        Phase = phase;
        Shares = shares;
    }

    /// <summary>The phase.</summary>
    public PlanPhase Phase { get; init; }

    /// <summary>The shares of the memory.</summary>
    public IReadOnlyList<MemoryShare> Shares { get; init; }

    /// <summary>The sum of the shares.</summary>
    public long Bytes => Shares.Sum(share => share.Bytes);
}

/// <summary>Estimated seconds of a picture in a warm engine, with a prompt that was not encoded before.</summary>
public sealed record PlanEstimate
{
    internal PlanEstimate(double text, double conditioning, double loading, double step, double decoding, double picture)
    {
        Text = text;
        Conditioning = conditioning;
        Loading = loading;
        Step = step;
        Decoding = decoding;
        Picture = picture;
    }

    /// <summary>The text encoders, once for all pictures.</summary>
    public double Text { get; init; }

    /// <summary>Keys, values and embeddings, once per batch.</summary>
    public double Conditioning { get; init; }

    /// <summary>Loading weights that were swapped out and sessions that rotate, once per batch.</summary>
    public double Loading { get; init; }

    /// <summary>One step of a batch; if some steps are outside of the guidance interval, one inside of it.</summary>
    public double Step { get; init; }

    /// <summary>The encoding of an existing picture, once per batch; 0 if none is encoded.</summary>
    public double Encoding { get; init; }

    /// <summary>The decoding of one picture.</summary>
    public double Decoding { get; init; }

    /// <summary>One picture in all, rounded to a hundredth; with a second pass, both passes without the upscaler.</summary>
    public double Picture { get; init; }

    /// <summary>One step of a batch outside of the guidance interval; 0 if there is none.</summary>
    public double UnguidedStep { get; init; }
}

/// <summary>The place of all weights, the memory of each phase and the estimated time. An atelier keeps to its plan.</summary>
public sealed record ResidencyPlan
{
    /// <summary>The name of a <see cref="MemoryShare"/> that may be kept from one picture to the next.</summary>
    internal const string WorkingMemoryShare = "working memory";

    /// <summary>The name of the decoder's <see cref="MemoryShare"/>, which may be kept likewise.</summary>
    internal const string DecoderShare = "decoder";

    /// <summary>The name of the encoder's <see cref="MemoryShare"/>, whose sessions may be kept likewise.</summary>
    internal const string EncoderShare = "encoder";

    internal ResidencyPlan(ResidencyRequest request) => Request = request;

    /// <summary>
    /// The budget in bytes: device memory as the driver counts it; on a processor, memory without the pages of mapped files.
    /// </summary>
    public long BudgetBytes => Request.Budget;

    /// <summary>The mode that corresponds to the places of the weights; never <see cref="OffloadMode.Auto"/>.</summary>
    public required OffloadMode Offload { get; init; }

    /// <summary>The number of pictures in a batch.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Every component that a picture needs, in the order in which they run.</summary>
    public required IReadOnlyList<ComponentPlan> Components { get; init; }

    /// <summary>
    /// Bytes of the denoiser's streaming buffer; 0 if no stage of it is streamed. The buffer is allocated while the denoiser runs.
    /// </summary>
    public required long StreamingBufferBytes { get; init; }

    /// <summary>
    /// Bytes of the streaming buffer for the components that run once per batch; 0 if none of them is streamed. The buffer is allocated
    /// until denoising begins.
    /// </summary>
    public required long PreparingBufferBytes { get; init; }

    /// <summary>
    /// Bytes of pinned memory that streamed and swapped-out weights take. Swapped-out weights come from the mapped file if no more memory
    /// may be pinned.
    /// </summary>
    public required long PinnedBytes { get; init; }

    /// <summary>
    /// Bytes of host memory, pinned on a card, for the embeddings, keys and values of the sets of prompts; 0 if the prompts do not change
    /// between steps.
    /// </summary>
    public long PromptSetBytes { get; init; }

    /// <summary>Whether a step is captured once and replayed from then on.</summary>
    public required bool CapturesSteps { get; init; }

    /// <summary>Whether the working memory of text and denoising is kept between the phases; if not, it is freed after each.</summary>
    public required bool KeepsArena { get; init; }

    /// <summary>Whether the decoder's working memory is kept too.</summary>
    public required bool KeepsDecodingArena { get; init; }

    /// <summary>
    /// Whether several threads create the sessions. That is faster, but each session then holds two sets of cuDNN handles.
    /// </summary>
    public required bool MakesSessionsInParallel { get; init; }

    /// <summary>The tiles in which the VAE encodes an existing picture, those of the decoding; null if none is encoded.</summary>
    public TilePlan? Encoding { get; init; }

    /// <summary>The tiles in which the VAE decodes.</summary>
    public required TilePlan Decoding { get; init; }

    /// <summary>
    /// The tiles in which the VAE decodes again in fp32 after fp16 overflowed; null if no tile fits the budget, or if none is needed.
    /// </summary>
    public TilePlan? DecodingInFp32 { get; init; }

    /// <summary>
    /// Bytes of memory while the VAE decodes again; never more than the budget. <see cref="Phases"/> does not include them, because few
    /// pictures need it.
    /// </summary>
    public long DecodingInFp32Bytes { get; init; }

    /// <summary>
    /// The plan of the second pass; null if there is none. The other members then are those of the first pass, except that
    /// <see cref="PeakBytes"/> is that of the larger pass, and that <see cref="UnlimitedSeconds"/> and <see cref="PlanEstimate.Picture"/>
    /// are those of both.
    /// </summary>
    public ResidencyPlan? SecondPass { get; init; }

    /// <summary>The memory of every phase.</summary>
    public required IReadOnlyList<PhasePlan> Phases { get; init; }

    /// <summary>The memory of the largest phase in bytes; never more than the budget.</summary>
    public required long PeakBytes { get; init; }

    /// <summary>The estimated time.</summary>
    public required PlanEstimate Estimate { get; init; }

    /// <summary>The estimated seconds of a picture with an unlimited budget.</summary>
    public required double UnlimitedSeconds { get; init; }

    /// <summary>The plan in sentences.</summary>
    public required IReadOnlyList<string> Explanation { get; init; }

    /// <summary>The pictures that were planned for.</summary>
    internal ResidencyRequest Request { get; init; }

    /// <summary>
    /// The other pass of the same pictures, if weights lie in the same places in both and the memory of both is held, so that a change of
    /// pass moves nothing; null if there is none.
    /// </summary>
    internal PictureKind? OtherPass { get; init; }

    /// <summary>Whether the encoder's sessions stay loaded in every phase.</summary>
    internal bool KeepsEncoder =>
        Components.Any(component => PipelineRecipe.Of(component.Name).Encodes && !component.HasRotatingSessions);

    /// <summary>The component that decodes: the fp32 decoder if the request declares it.</summary>
    internal ComponentPlan Decoder =>
        Components.First(component => PipelineRecipe.Of(component.Name).Decodes);

    internal bool DecodesInFp32 => PipelineRecipe.Of(Decoder.Name).Use == ComponentUse.Fp32Decoding;

    /// <summary>The plan of a component.</summary>
    /// <param name="name">The component's name in the package, such as <c>unet</c>.</param>
    /// <exception cref="InvalidOperationException">The plan has no such component.</exception>
    public ComponentPlan Component(string name) => Components.First(component => component.Name == name);
}
