using System.Text.Json.Serialization;

namespace MuseAtelier;

/// <summary>A picture to paint: its prompts, its seed, its size and its settings.</summary>
public sealed record PictureRequest
{
    /// <summary>
    /// The prompt (绘意), which describes the picture: Unicode text of at most 262,144 UTF-16 code units, without unpaired
    /// surrogates. <see cref="PromptSyntax"/> decides what brackets mean and what happens to long prompts; notices of the result say
    /// which text is not encoded as written.
    /// </summary>
    public required string Prompt { get; init; }

    /// <summary>
    /// The negative prompt (避讳), which describes what the picture should not show: text as for <see cref="Prompt"/>.
    /// <see cref="EmptyNegative"/> decides the meaning of an empty one.
    /// </summary>
    public string NegativePrompt { get; init; } = "";

    /// <summary>The syntax of both prompts; by default every character is text, and prompts are cut after 75 tokens.</summary>
    public PromptSyntax PromptSyntax { get; init; }

    /// <summary>The conditioning for an empty negative prompt.</summary>
    public EmptyNegative EmptyNegative { get; init; } = EmptyNegative.Encoded;

    /// <summary>The seed of the noise (造化种子); any number.</summary>
    public ulong Seed { get; init; }

    /// <summary>The source of the random numbers that the seed starts; diffusers by default.</summary>
    public NoiseSource NoiseSource { get; init; }

    /// <summary>Width in px: a multiple of 8 from 256 to 2048.</summary>
    public int Width { get; init; } = 1024;

    /// <summary>Height in px: a multiple of 8 from 256 to 2048.</summary>
    public int Height { get; init; } = 1024;

    /// <summary>The sampler; Euler ancestral by default.</summary>
    public SamplerName Sampler { get; init; }

    /// <summary>Denoising steps, 1 to 1000.</summary>
    public int Steps { get; init; } = 30;

    /// <summary>Guidance scale, 1 to 100. At 1 there is no guidance, and the negative prompt is not used.</summary>
    public float GuidanceScale { get; init; } = 7;

    /// <summary>Whether the guidance scale has an effect, so that every evaluation also predicts for the negative prompt.</summary>
    [JsonIgnore]
    public bool IsGuided => GuidanceScale > 1;

    /// <summary>The schedule of timesteps and noise levels.</summary>
    public NoiseSchedule Schedule { get; init; } = new();

    /// <summary>The frame that is painted with the picture (鎏金画框); null means none.</summary>
    public PictureFrame? Frame { get; init; }

    /// <summary>SDXL's size conditioning; null means an uncropped original of the picture's own size.</summary>
    public MicroConditioning? Conditioning { get; init; }
}

/// <summary>The conditioning for an empty negative prompt.</summary>
public enum EmptyNegative
{
    /// <summary>The text encoders' output for the empty text (ComfyUI, InvokeAI, Fooocus, SwarmUI).</summary>
    Encoded,

    /// <summary>Zeros for hidden states and pooled output (AUTOMATIC1111, Forge, diffusers).</summary>
    Zeros,
}

/// <summary>SDXL's size conditioning, in px, each from 0 to 16,384.</summary>
/// <param name="OriginalWidth">Width of the picture before any scaling.</param>
/// <param name="OriginalHeight">Height of the picture before any scaling.</param>
/// <param name="CropLeft">Columns cut off on the left.</param>
/// <param name="CropTop">Rows cut off at the top.</param>
/// <param name="TargetWidth">The width that the picture should appear to be made for.</param>
/// <param name="TargetHeight">The height that the picture should appear to be made for.</param>
public sealed record MicroConditioning(
    int OriginalWidth, int OriginalHeight, int CropLeft, int CropTop, int TargetWidth, int TargetHeight);
