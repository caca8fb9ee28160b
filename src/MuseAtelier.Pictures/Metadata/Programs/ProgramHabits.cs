namespace MuseAtelier.Pictures.Metadata;

/// <summary>What a program's clip skip means for SDXL.</summary>
internal enum ClipSkipMeaning
{
    /// <summary>It is not known, or the program ignores it.</summary>
    None,

    /// <summary>The layer counted from the last one; 1 means the last one, whose output SDXL is not trained with.</summary>
    Layer,

    /// <summary>The same, but 1 means 2.</summary>
    LayerFromTwo,

    /// <summary>The member of a request itself.</summary>
    Member,
}

/// <summary>What a program does where its texts say nothing.</summary>
internal sealed record ProgramHabits
{
    private static readonly ProgramHabits Automatic1111 = new()
    {
        Noise = NoiseSource.A1111,
        EmptyNegative = EmptyNegative.Zeros,
        Dialect = SamplingDialect.A1111,
        Syntax = PromptSyntax.A1111,
        Spacing = TimestepSpacing.Normal,
    };

    private static readonly ProgramHabits ComfyUi = new()
    {
        Noise = NoiseSource.Comfy,
        Dialect = SamplingDialect.Comfy,
        Syntax = PromptSyntax.Comfy,
        Spacing = TimestepSpacing.Normal,
        ClipSkip = ClipSkipMeaning.Layer,
    };

    private static readonly ProgramHabits Other = new() { Noise = NoiseSource.A1111, IsKnown = false };

    // Where programs are built on each other, they share an entry.
    private static readonly Dictionary<string, ProgramHabits> Known = new(StringComparer.Ordinal)
    {
        [Programs.MuseAtelier] = new ProgramHabits { Noise = NoiseSource.A1111, ClipSkip = ClipSkipMeaning.Member },
        [Programs.Automatic1111] = Automatic1111,
        // backend/diffusion_engine/sdxl.py: minus the larger one of clip skip and 2.
        [Programs.Forge] = Automatic1111 with { ClipSkip = ClipSkipMeaning.LayerFromTwo },
        [Programs.StableDiffusionCpp] = ComfyUi with
        {
            Noise = NoiseSource.A1111,
            EmptyNegative = EmptyNegative.Zeros,
            Syntax = PromptSyntax.A1111,
        },
        [Programs.SdNext] = Other with { EmptyNegative = EmptyNegative.Zeros, Syntax = PromptSyntax.A1111 },
        [Programs.ComfyUi] = ComfyUi,
        // SwarmUI's workflows use Euler where a request names no sampler.
        [Programs.SwarmUi] = ComfyUi with { Sampler = SamplerName.Euler },
        [Programs.Fooocus] = ComfyUi with
        {
            Notice = "Fooocus changes ComfyUI's sampling (sharpness, ADM guidance, adaptive CFG): the picture will be similar but not the "
                + "same.",
        },
        [Programs.StabilityMatrix] = ComfyUi,
        [Programs.InvokeAi] = new ProgramHabits
        {
            Noise = NoiseSource.Diffusers,
            Spacing = TimestepSpacing.Leading,
            Notice = "InvokeAI draws the noise of its steps with another seed: the picture will be similar but not the same.",
        },
        [Programs.NovelAi] = Other with { Notice = OwnNoise("NovelAI, whose models are not public,") },
        [Programs.DrawThings] = Other with { Syntax = PromptSyntax.A1111 },
        [Programs.EasyDiffusion] = Other with { EmptyNegative = EmptyNegative.Zeros, Notice = OwnNoise("Easy Diffusion") },
    };

    /// <summary>The source of the program's random numbers.</summary>
    public required NoiseSource Noise { get; init; }

    /// <summary>The conditioning for an empty negative prompt.</summary>
    public EmptyNegative EmptyNegative { get; init; } = EmptyNegative.Encoded;

    /// <summary>The functions that the program's names of samplers and schedules mean.</summary>
    public SamplingDialect Dialect { get; init; } = SamplingDialect.Diffusers;

    /// <summary>The syntax of the program's prompts, or the one that is closest to it.</summary>
    public PromptSyntax Syntax { get; init; } = PromptSyntax.Plain;

    /// <summary>The spacing of the timesteps if a text names none.</summary>
    public TimestepSpacing Spacing { get; init; } = TimestepSpacing.Linspace;

    /// <summary>The sampler if a text names none.</summary>
    public SamplerName Sampler { get; init; } = SamplerName.EulerAncestral;

    /// <summary>The meaning of clip skip.</summary>
    public ClipSkipMeaning ClipSkip { get; init; }

    /// <summary>Whether the program's samplers and schedules are known to be those of <see cref="Dialect"/>.</summary>
    public bool IsKnown { get; init; } = true;

    /// <summary>The sentence for the user about what differs in every picture of the program; null if nothing does.</summary>
    public string? Notice { get; init; }

    /// <summary>The sentence about a program whose random numbers are not available.</summary>
    public static string OwnNoise(string who) =>
        $"{who} has random numbers of its own: the picture will be a different one with the same settings.";

    /// <summary>The habits of a program.</summary>
    public static ProgramHabits Of(string program) => Known.GetValueOrDefault(program, Other);
}
