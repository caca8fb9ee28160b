using System.Text.Json.Serialization;
using MuseAtelier.Packages;

namespace MuseAtelier;

/// <summary>What a picture passes through, in order.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PlanPhase>))]
public enum PlanPhase
{
    /// <summary>Prompts to text states.</summary>
    Text,

    /// <summary>Text states to keys and values, timesteps to embeddings: once per pass.</summary>
    Conditioning,

    /// <summary>The steps.</summary>
    Denoising,

    /// <summary>Latents to pixels.</summary>
    Decoding,
}

/// <summary>Where the weights of a stage are.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<StagePlacement>))]
public enum StagePlacement
{
    /// <summary>In device memory for good.</summary>
    Resident,

    /// <summary>In device memory while the network denoises; given up for the other phases and copied back before the first step.</summary>
    SwappedOut,

    /// <summary>In pinned memory, and copied into a window of device memory each time the stage runs.</summary>
    Streamed,

    /// <summary>In the mapped file, and copied into the window through a ring of pinned memory each time the stage runs.</summary>
    Staged,

    /// <summary>In the mapped file, where the device reads them.</summary>
    Mapped,

    /// <summary>Constants of the stage's session, which stays.</summary>
    Session,

    /// <summary>Constants of the stage's session, which is made for each run and released after it.</summary>
    RotatingSession,
}

/// <summary>A stage's place.</summary>
/// <param name="Name">The stage's name.</param>
/// <param name="Placement">Where its weights are.</param>
/// <param name="Bytes">Bytes of its weights or constants in device memory.</param>
public sealed record StagePlan(string Name, StagePlacement Placement, long Bytes);

/// <summary>A component's place.</summary>
/// <param name="Name">The component's name.</param>
/// <param name="Stages">Its stages in the order in which they run.</param>
public sealed record ComponentPlan(string Name, IReadOnlyList<StagePlan> Stages)
{
    /// <summary>Bytes of weights that lie in a place.</summary>
    public long Bytes(StagePlacement placement) => Stages.Where(stage => stage.Placement == placement).Sum(stage => stage.Bytes);

    /// <summary>Stages whose weights lie in a place.</summary>
    public int Count(StagePlacement placement) => Stages.Count(stage => stage.Placement == placement);
}

/// <summary>How the VAE decodes.</summary>
/// <param name="TileHeight">Height of a tile, in latents.</param>
/// <param name="TileWidth">Width of a tile, in latents.</param>
/// <param name="Rows">Tiles down the picture; 1 by 1 is the whole.</param>
/// <param name="Columns">Tiles across the picture.</param>
public sealed record TilePlan(int TileHeight, int TileWidth, int Rows, int Columns)
{
    /// <summary>Whether the picture is decoded in one piece.</summary>
    [JsonIgnore]
    public bool IsWhole => Rows == 1 && Columns == 1;
}

/// <summary>Memory that something takes during a phase.</summary>
/// <param name="Name">What takes it, in words.</param>
/// <param name="Bytes">How much.</param>
public sealed record MemoryShare(string Name, long Bytes);

/// <summary>A phase's memory.</summary>
/// <param name="Phase">The phase.</param>
/// <param name="Shares">What takes memory during it.</param>
public sealed record PhasePlan(PlanPhase Phase, IReadOnlyList<MemoryShare> Shares)
{
    /// <summary>The sum of the shares.</summary>
    public long Bytes { get; } = Shares.Sum(share => share.Bytes);
}

/// <summary>Estimated seconds of a warm picture with a prompt that was not encoded before.</summary>
/// <param name="Text">Encoding the prompts, once for all pictures.</param>
/// <param name="Conditioning">Keys, values and embeddings, once per pass.</param>
/// <param name="Loading">Bringing lent weights and sessions that took turns back, once per pass.</param>
/// <param name="Step">One step of a pass.</param>
/// <param name="Decoding">Decoding one picture.</param>
/// <param name="Picture">One picture, all together, to a hundredth.</param>
public sealed record PlanEstimate(double Text, double Conditioning, double Loading, double Step, double Decoding, double Picture);

/// <summary>Where everything is, phase by phase, and what that costs: the promise that an atelier keeps.</summary>
public sealed record ResidencyPlan
{
    /// <summary>Names of <see cref="MemoryShare"/>s that may be kept from one picture to the next.</summary>
    internal const string WorkingMemoryShare = "working memory", DecoderShare = "decoder";

    /// <summary>What was asked for.</summary>
    public required ResidencyRequest Request { get; init; }

    /// <summary>What the weights' places amount to; never <see cref="OffloadMode.Auto"/>.</summary>
    public required OffloadMode Offload { get; init; }

    /// <summary>Pictures that are denoised together.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Every component that a picture needs, in the order in which it needs them.</summary>
    public required IReadOnlyList<ComponentPlan> Components { get; init; }

    /// <summary>Bytes of the window that the denoising network's streamed stages pass through; 0 where none is streamed. It has memory while the network denoises.</summary>
    public required long StreamingBufferBytes { get; init; }

    /// <summary>Bytes of the window for what runs once a pass; 0 where none of that is streamed. It has memory until denoising begins.</summary>
    public required long PreparingBufferBytes { get; init; }

    /// <summary>Bytes of pinned memory that streamed and lent weights take; lent ones come from the mapped file where no more may be pinned.</summary>
    public required long PinnedBytes { get; init; }

    /// <summary>Whether a step is recorded once and played from then on.</summary>
    public required bool CapturesSteps { get; init; }

    /// <summary>Whether the working memory of text and denoising is kept between the phases; else it is given back after each.</summary>
    public required bool KeepsArena { get; init; }

    /// <summary>Whether the decoder's working memory is kept too.</summary>
    public required bool KeepsDecodingArena { get; init; }

    /// <summary>Whether sessions are made by several threads at once, which is faster and takes handles twice.</summary>
    public required bool MakesSessionsInParallel { get; init; }

    /// <summary>How the VAE decodes.</summary>
    public required TilePlan Decoding { get; init; }

    /// <summary>How the VAE decodes again in fp32 where fp16 overflowed; null where no tile of that fits, or none is needed.</summary>
    public TilePlan? DecodingInFp32 { get; init; }

    /// <summary>Memory while that is done; never more than the budget. Not part of <see cref="Phases"/>: hardly a picture needs it.</summary>
    public long DecodingInFp32Bytes { get; init; }

    /// <summary>The memory of every phase.</summary>
    public required IReadOnlyList<PhasePlan> Phases { get; init; }

    /// <summary>The largest phase's memory; never more than the budget.</summary>
    public required long PeakBytes { get; init; }

    /// <summary>What it costs.</summary>
    public required PlanEstimate Estimate { get; init; }

    /// <summary>What an unlimited budget would cost a picture, in seconds.</summary>
    public required double UnlimitedSeconds { get; init; }

    /// <summary>The plan in sentences.</summary>
    public required IReadOnlyList<string> Explanation { get; init; }

    /// <summary>The component that decodes, in fp32 from the start where that was asked for.</summary>
    internal ComponentPlan Decoder => Components.First(component => component.Name is ComponentNames.VaeDecoder or ComponentNames.VaeDecoderFp32);

    internal bool DecodesInFp32 => Decoder.Name == ComponentNames.VaeDecoderFp32;

    /// <summary>The component of that name.</summary>
    public ComponentPlan Component(string name) => Components.First(component => component.Name == name);
}
