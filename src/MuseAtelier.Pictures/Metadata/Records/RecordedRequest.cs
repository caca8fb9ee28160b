using System.Text.Json;
using System.Text.Json.Serialization;
using MuseAtelier.Adapters;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// A request as records hold it. Every member must be present unless null has a meaning, because nothing of a record may be filled in by
/// guess.
/// </summary>
internal sealed record RecordedRequest
{
    private static readonly PictureRequest Defaults = new() { Prompt = "" };

    public required string Prompt { get; init; }

    public required string NegativePrompt { get; init; }

    /// <summary>The syntax of the prompts; null means plain, as in records that are older than the other syntaxes.</summary>
    public PromptSyntax? PromptSyntax { get; init; }

    /// <summary>How weights act; null means that it is the usual way, or that the syntax knows no other.</summary>
    public PromptEmphasis? Emphasis { get; init; }

    /// <summary>The tokens behind a comma that move to the next chunk; null means 20.</summary>
    public int? CommaBacktrack { get; init; }

    /// <summary>The layer of the text encoders, counted from the last one; null means 2.</summary>
    public int? ClipSkip { get; init; }

    public required EmptyNegative EmptyNegative { get; init; }

    /// <summary>The seed of the variation; null where there is none.</summary>
    public ulong? VariationSeed { get; init; }

    /// <summary>The strength of the variation; null where there is none.</summary>
    public float? VariationStrength { get; init; }

    /// <summary>The strength of the sampler's noise; null means its own default.</summary>
    public float? Eta { get; init; }

    /// <summary>The program that names of schedules and samplers refer to; null in records that are older than the choice.</summary>
    public SamplingDialect? Dialect { get; init; }

    /// <summary>The choice of the prediction; null means what the model's file says.</summary>
    public ModelPrediction? Prediction { get; init; }

    /// <summary>The share in which guidance is rescaled; null means 0.</summary>
    public float? GuidanceRescale { get; init; }

    /// <summary>The share of the steps after which guidance begins; null means 0.</summary>
    public float? GuidanceFrom { get; init; }

    /// <summary>The share of the steps after which guidance ends; null means 1.</summary>
    public float? GuidanceTo { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>The noise source's name, as <see cref="RecordedNames.NoiseSourceOf"/> gives it.</summary>
    public required string NoiseSource { get; init; }

    public required int Width { get; init; }

    public required int Height { get; init; }

    public required int Steps { get; init; }

    public required float GuidanceScale { get; init; }

    /// <summary>The sampler's name, as <see cref="RecordedNames.SamplerOf"/> gives it.</summary>
    public required string Sampler { get; init; }

    public required RecordedSchedule Schedule { get; init; }

    /// <summary>The picture that this one was painted from; null means noise alone.</summary>
    public RecordedSource? Source { get; init; }

    /// <summary>The LoRAs, in the order in which they are added; null means none.</summary>
    public IReadOnlyList<RecordedLora>? Loras { get; init; }

    /// <summary>The second pass; null means none.</summary>
    public RecordedHires? Hires { get; init; }

    /// <summary>The frame; null means none.</summary>
    public PictureFrame? Frame { get; init; }

    /// <summary>SDXL's size conditioning; null means an uncropped original of the picture's own size.</summary>
    public MicroConditioning? MicroConditioning { get; init; }

    /// <summary>
    /// The dialect of a record or a text with a spacing that names no dialect: where programs differ, it was painted with ComfyUI's
    /// functions.
    /// </summary>
    public static SamplingDialect UnnamedDialect(TimestepSpacing spacing) =>
        ScheduleNames.DiffersByProgram(spacing) || spacing is TimestepSpacing.Exponential or TimestepSpacing.Polyexponential
            ? SamplingDialect.Comfy
            : SamplingDialect.Diffusers;

    /// <summary>The recorded form of a request.</summary>
    public static RecordedRequest Of(PictureRequest request) => new()
    {
        Prompt = request.Prompt,
        NegativePrompt = request.NegativePrompt,
        PromptSyntax = request.PromptSyntax == MuseAtelier.PromptSyntax.Plain ? null : request.PromptSyntax,
        Emphasis = Unless(request.Emphasis, Defaults.Emphasis),
        CommaBacktrack = Unless(request.CommaBacktrack, Defaults.CommaBacktrack),
        ClipSkip = Unless(request.ClipSkip, Defaults.ClipSkip),
        VariationSeed = request.VariationStrength == 0 ? null : request.VariationSeed,
        VariationStrength = Unless(request.VariationStrength, 0),
        Eta = request.Eta,
        Dialect = request.Dialect,
        Prediction = Unless(request.Prediction, Defaults.Prediction),
        GuidanceRescale = Unless(request.GuidanceRescale, 0),
        GuidanceFrom = Unless(request.GuidanceFrom, 0),
        GuidanceTo = Unless(request.GuidanceTo, 1),
        EmptyNegative = request.EmptyNegative,
        Seed = request.Seed,
        NoiseSource = RecordedNames.NoiseSourceOf(request),
        Width = request.Width,
        Height = request.Height,
        Steps = request.Steps,
        GuidanceScale = request.GuidanceScale,
        Sampler = RecordedNames.SamplerOf(request),
        Schedule = RecordedSchedule.Of(request.Schedule),
        Source = RecordedSource.Of(request.Source),
        Loras = RecordedLora.Of(request.Loras),
        Hires = RecordedHires.Of(request.Hires),
        Frame = request.Frame,
        MicroConditioning = request.Conditioning,
    };

    /// <summary>The request that was recorded.</summary>
    /// <exception cref="JsonException">
    /// The sampler, the noise source, a LoRA, or a part of the source or of the second pass is none.
    /// </exception>
    /// <exception cref="ArgumentException">A digest or a size is out of range.</exception>
    public PictureRequest ToRequest()
    {
        var request = new PictureRequest
        {
            Prompt = Prompt,
            NegativePrompt = NegativePrompt,
            PromptSyntax = PromptSyntax ?? MuseAtelier.PromptSyntax.Plain,
            Emphasis = Emphasis ?? Defaults.Emphasis,
            CommaBacktrack = CommaBacktrack ?? Defaults.CommaBacktrack,
            ClipSkip = ClipSkip ?? Defaults.ClipSkip,
            VariationSeed = VariationSeed ?? 0,
            VariationStrength = VariationStrength ?? 0,
            Eta = Eta,
            Dialect = Dialect ?? UnnamedDialect(Schedule.Spacing),
            Prediction = Prediction ?? Defaults.Prediction,
            GuidanceRescale = GuidanceRescale ?? 0,
            GuidanceFrom = GuidanceFrom ?? 0,
            GuidanceTo = GuidanceTo ?? 1,
            EmptyNegative = EmptyNegative,
            Seed = Seed,
            Width = Width,
            Height = Height,
            Steps = Steps,
            GuidanceScale = GuidanceScale,
            Schedule = Schedule.ToSchedule(),
            Source = Source?.ToSource(),
            Loras = RecordedLora.ToLoras(Loras),
            HasFinalLoras = LoraTags.IsIn(Prompt),
            Hires = Hires?.ToPass(Prompt),
            Frame = Frame,
            Conditioning = MicroConditioning,
        };
        return RecordedNames.Apply(request, Sampler, NoiseSource);
    }

    private static T? Unless<T>(T value, T usual) where T : struct => EqualityComparer<T>.Default.Equals(value, usual) ? null : value;
}

/// <summary>The schedule of a recorded request.</summary>
/// <param name="Spacing">The spacing of the timesteps.</param>
/// <param name="Karras">Whether the sigmas are Karras's.</param>
internal sealed record RecordedSchedule(TimestepSpacing Spacing, bool Karras)
{
    /// <summary>The timesteps themselves; null means those of the spacing.</summary>
    public TimestepList? Timesteps { get; init; }

    /// <summary>The recorded form of a schedule.</summary>
    public static RecordedSchedule Of(NoiseSchedule schedule) => new(schedule.Spacing, schedule.Karras) { Timesteps = schedule.Timesteps };

    /// <summary>The schedule that was recorded.</summary>
    public NoiseSchedule ToSchedule() => new() { Spacing = Spacing, Karras = Karras, Timesteps = Timesteps };
}

/// <summary>Reads and writes requests in their recorded form.</summary>
internal sealed class RecordedRequestConverter : JsonConverter<PictureRequest>
{
    /// <inheritdoc/>
    public override PictureRequest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        JsonSerializer.Deserialize(ref reader, RecordJson.Types.RecordedRequest)!.ToRequest();

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, PictureRequest value, JsonSerializerOptions options) =>
        JsonSerializer.Serialize(writer, RecordedRequest.Of(value), RecordJson.Types.RecordedRequest);
}
