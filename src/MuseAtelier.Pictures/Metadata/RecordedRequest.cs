using System.Text.Json;
using System.Text.Json.Serialization;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// A request as records hold it. Every member must be present unless null has a meaning, because nothing of a record may be filled in by
/// guess.
/// </summary>
internal sealed record RecordedRequest
{
    public required string Prompt { get; init; }

    public required string NegativePrompt { get; init; }

    /// <summary>The syntax of the prompts; null means plain, as in records that are older than the other syntaxes.</summary>
    public PromptSyntax? PromptSyntax { get; init; }

    public required EmptyNegative EmptyNegative { get; init; }

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

    /// <summary>The frame; null means none.</summary>
    public PictureFrame? Frame { get; init; }

    /// <summary>SDXL's size conditioning; null means an uncropped original of the picture's own size.</summary>
    public MicroConditioning? MicroConditioning { get; init; }

    /// <summary>The recorded form of a request.</summary>
    public static RecordedRequest Of(PictureRequest request) => new()
    {
        Prompt = request.Prompt,
        NegativePrompt = request.NegativePrompt,
        PromptSyntax = request.PromptSyntax == default ? null : request.PromptSyntax,
        EmptyNegative = request.EmptyNegative,
        Seed = request.Seed,
        NoiseSource = RecordedNames.NoiseSourceOf(request),
        Width = request.Width,
        Height = request.Height,
        Steps = request.Steps,
        GuidanceScale = request.GuidanceScale,
        Sampler = RecordedNames.SamplerOf(request),
        Schedule = new RecordedSchedule(request.Schedule.Spacing, request.Schedule.Karras),
        Frame = request.Frame,
        MicroConditioning = request.Conditioning,
    };

    /// <summary>The request that was recorded.</summary>
    /// <exception cref="JsonException">The sampler or the noise source is unknown.</exception>
    public PictureRequest ToRequest()
    {
        var request = new PictureRequest
        {
            Prompt = Prompt,
            NegativePrompt = NegativePrompt,
            PromptSyntax = PromptSyntax.GetValueOrDefault(),
            EmptyNegative = EmptyNegative,
            Seed = Seed,
            Width = Width,
            Height = Height,
            Steps = Steps,
            GuidanceScale = GuidanceScale,
            Schedule = new NoiseSchedule { Spacing = Schedule.Spacing, Karras = Schedule.Karras },
            Frame = Frame,
            Conditioning = MicroConditioning,
        };
        return RecordedNames.Apply(request, Sampler, NoiseSource);
    }
}

/// <summary>The schedule of a recorded request.</summary>
/// <param name="Spacing">The spacing of the timesteps.</param>
/// <param name="Karras">Whether the sigmas are Karras's.</param>
internal sealed record RecordedSchedule(TimestepSpacing Spacing, bool Karras);

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
