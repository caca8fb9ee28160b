namespace MuseAtelier;

/// <summary>What to paint and how.</summary>
public sealed record PictureRequest
{
    /// <summary>
    /// What the picture shows (绘意): Unicode text of at most 262,144 UTF-16 code units, without unpaired surrogates. Cut at 75 tokens,
    /// with a notice in the result.
    /// </summary>
    public required string Prompt { get; init; }

    /// <summary>
    /// What the picture avoids (避讳): text as for <see cref="Prompt"/>. Empty means what <see cref="EmptyNegative"/> says.
    /// </summary>
    public string NegativePrompt { get; init; } = "";

    /// <summary>What stands for an empty negative prompt.</summary>
    public EmptyNegative EmptyNegative { get; init; } = EmptyNegative.Encoded;

    /// <summary>The seed of the noise (造化种子); any number.</summary>
    public ulong Seed { get; init; }

    /// <summary>Whose random numbers the seed starts.</summary>
    public NoiseSource NoiseSource { get; init; } = NoiseSource.Diffusers;

    /// <summary>Width in px: a multiple of 8 from 256 to 2048.</summary>
    public int Width { get; init; } = 1024;

    /// <summary>Height in px: a multiple of 8 from 256 to 2048.</summary>
    public int Height { get; init; } = 1024;

    /// <summary>Denoising steps, 1 to 1000.</summary>
    public int Steps { get; init; } = 30;

    /// <summary>Guidance scale, 1 to 100; 1 runs without the negative half.</summary>
    public float GuidanceScale { get; init; } = 7;

    /// <summary>How timesteps are chosen.</summary>
    public NoiseSchedule Schedule { get; init; } = new();

    /// <summary>The frame that is painted with the picture (鎏金画框); null means none.</summary>
    public PictureFrame? Frame { get; init; }

    /// <summary>What the model is told of the picture's origin; null means an uncropped original of the picture's own size.</summary>
    public MicroConditioning? Conditioning { get; init; }
}

/// <summary>What stands for an empty negative prompt.</summary>
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
/// <param name="TargetWidth">Width that the picture should look made for.</param>
/// <param name="TargetHeight">Height that the picture should look made for.</param>
public sealed record MicroConditioning(int OriginalWidth, int OriginalHeight, int CropLeft, int CropTop, int TargetWidth, int TargetHeight);

/// <summary>How the timesteps of a picture are chosen from the 1000 that the model was trained on.</summary>
public sealed record NoiseSchedule
{
    /// <summary>How timesteps are spread.</summary>
    public TimestepSpacing Spacing { get; init; } = TimestepSpacing.Leading;

    /// <summary>Whether sigmas follow Karras et al. (2022), equation 5, with rho 7, between the spacing's largest and smallest sigma.</summary>
    public bool Karras { get; init; }
}

/// <summary>How timesteps are spread, named as diffusers names it.</summary>
public enum TimestepSpacing
{
    /// <summary>Every n-th timestep from 1 on: SDXL's own scheduler configuration.</summary>
    Leading,

    /// <summary>Every n-th timestep back from 1000.</summary>
    Trailing,

    /// <summary>Evenly from 0 to 999, fractions kept: AUTOMATIC1111's choice for this sampler.</summary>
    Linspace,
}
