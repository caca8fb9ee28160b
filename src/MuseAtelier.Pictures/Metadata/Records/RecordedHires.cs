using System.Text.Json;
using MuseAtelier.Adapters;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>The second pass of a request as records hold it.</summary>
/// <param name="Scale">The factor of width and height.</param>
/// <param name="Strength">How much is painted anew.</param>
/// <param name="Upscaler">How the picture is enlarged.</param>
internal sealed record RecordedHires(float Scale, float Strength, RecordedUpscaler Upscaler)
{
    /// <summary>The steps; null means the request's.</summary>
    public int? Steps { get; init; }

    /// <summary>The prompt; null means the request's.</summary>
    public string? Prompt { get; init; }

    /// <summary>The negative prompt; null means the request's.</summary>
    public string? NegativePrompt { get; init; }

    /// <summary>The sampler's name; null means the request's.</summary>
    public string? Sampler { get; init; }

    /// <summary>The schedule; null means the request's.</summary>
    public RecordedSchedule? Schedule { get; init; }

    /// <summary>The guidance scale; null means the request's.</summary>
    public float? GuidanceScale { get; init; }

    /// <summary>The LoRAs, in the order in which they are added; null means the request's, an empty list none.</summary>
    public IReadOnlyList<RecordedLora>? Loras { get; init; }

    /// <summary>The recorded form of a request's second pass.</summary>
    public static RecordedHires? Of(HiresPass? pass) => pass is null
        ? null
        : new RecordedHires(pass.Scale, pass.Strength, RecordedUpscaler.Of(pass.Upscaler))
        {
            Steps = pass.Steps,
            Prompt = pass.Prompt,
            NegativePrompt = pass.NegativePrompt,
            Sampler = pass.Sampler?.Id,
            Schedule = pass.Schedule is { } schedule ? RecordedSchedule.Of(schedule) : null,
            GuidanceScale = pass.GuidanceScale,
            Loras = RecordedLora.OfSecondPass(pass.Loras),
        };

    /// <summary>The second pass of the request.</summary>
    /// <param name="prompt">The prompt of the first pass.</param>
    /// <exception cref="JsonException">The upscaler is unknown, or a LoRA is none.</exception>
    /// <exception cref="ArgumentException">The sampler's name or a digest is none.</exception>
    public HiresPass ToPass(string prompt) => new()
    {
        Scale = Scale,
        Strength = Strength,
        Upscaler = Upscaler.ToUpscaler(),
        Steps = Steps,
        Prompt = Prompt,
        NegativePrompt = NegativePrompt,
        Sampler = Sampler is null ? null : new SamplerName(Sampler),
        Schedule = Schedule?.ToSchedule(),
        GuidanceScale = GuidanceScale,
        Loras = RecordedLora.ToLorasOfSecondPass(Loras),
        // A prompt without tags, beside one with tags, may have been painted with the LoRAs of those.
        HasFinalLoras = Prompt is not null && (LoraTags.IsIn(Prompt) || LoraTags.IsIn(prompt)),
    };
}

/// <summary>An upscaler as records hold it: by its name and, if it is a model, by the digest and the name of its file.</summary>
/// <param name="Id">The name, as <see cref="HiresUpscaler.Id"/> gives it.</param>
internal sealed record RecordedUpscaler(string Id)
{
    private const string UnknownName = "upscaler";

    /// <summary>The name of the model's file without its folder; null unless it is a model.</summary>
    public string? Name { get; init; }

    /// <summary>SHA-256 of the model's file, lower-case hex; null unless it is a model.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The recorded form of an upscaler.</summary>
    public static RecordedUpscaler Of(HiresUpscaler upscaler) => new(upscaler.Id)
    {
        Name = upscaler.Path is { } path ? RecordedFileName.Of(path) ?? UnknownName : null,
        Sha256 = upscaler.Sha256,
    };

    /// <summary>The upscaler. A model has its file's name as its path, and painting with it needs the file itself.</summary>
    /// <exception cref="JsonException">There is no such upscaler, it has a file that it does not need, or it lacks one.</exception>
    /// <exception cref="ArgumentException">The digest is none.</exception>
    public HiresUpscaler ToUpscaler()
    {
        if (Sha256 is not null) ImageDigest.Check(Sha256);
        bool hasFile = Name is not null || Sha256 is not null;
        if (HiresUpscaler.BuiltIn.FirstOrDefault(known => known.Id == Id) is { } builtIn)
            return hasFile ? throw new JsonException($"its upscaler {Id} has a file, which it does not need") : builtIn;
        if (Id != HiresUpscaler.ModelId) throw new JsonException("its upscaler is unknown");
        if (Name is null || !RecordedFileName.IsName(Name)) throw new JsonException("the file of its upscaler has no legal name");
        return HiresUpscaler.Model(Name) with { Sha256 = Sha256 };
    }
}
