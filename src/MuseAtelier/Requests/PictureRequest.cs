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

    /// <summary>The syntax of both prompts; AUTOMATIC1111's by default.</summary>
    public PromptSyntax PromptSyntax { get; init; } = PromptSyntax.A1111;

    /// <summary>How weights act on the text encoders' output; only with <see cref="PromptSyntax.A1111"/>.</summary>
    public PromptEmphasis Emphasis { get; init; }

    /// <summary>
    /// The most tokens that may follow the last comma of a full chunk and move to the next chunk with what follows; 0 to 75. 0 turns the
    /// rule off. Only with <see cref="PromptSyntax.A1111"/>.
    /// </summary>
    public int CommaBacktrack { get; init; } = 20;

    /// <summary>
    /// The layer of both text encoders whose output is used, counted from the last one, 1 to 12. SDXL is trained with 2, the penultimate
    /// layer, and 1 means the same, as in Forge. A model whose text encoders have fewer layers refuses the rest
    /// (<see cref="ClipSkipException"/>).
    /// </summary>
    public int ClipSkip { get; init; } = 2;

    /// <summary>The conditioning for an empty negative prompt.</summary>
    public EmptyNegative EmptyNegative { get; init; } = EmptyNegative.Encoded;

    /// <summary>The seed of the noise (造化种子); any number.</summary>
    public ulong Seed { get; init; }

    /// <summary>The source of the random numbers that the seed starts; diffusers by default.</summary>
    public NoiseSource NoiseSource { get; init; }

    /// <summary>
    /// The seed of the noise that is mixed into the initial noise. In a series it counts up in place of <see cref="Seed"/>, as in
    /// AUTOMATIC1111. Without effect if <see cref="VariationStrength"/> is 0.
    /// </summary>
    public ulong VariationSeed { get; init; }

    /// <summary>
    /// The share of the variation's noise, 0 to 1: spherical interpolation from the noise of <see cref="Seed"/> to that of
    /// <see cref="VariationSeed"/> (AUTOMATIC1111, modules/rng.py, slerp).
    /// </summary>
    public float VariationStrength { get; init; }

    /// <summary>Width in px: a multiple of 8 from 256 to 4096.</summary>
    public int Width { get; init; } = 1024;

    /// <summary>Height in px: a multiple of 8 from 256 to 4096.</summary>
    public int Height { get; init; } = 1024;

    /// <summary>The sampler; Euler ancestral by default.</summary>
    public SamplerName Sampler { get; init; }

    /// <summary>Denoising steps, 1 to 1000.</summary>
    public int Steps { get; init; } = 30;

    /// <summary>
    /// The strength of a sampler's noise in every step, 0 to 1: eta of the ancestral samplers, of the SDE samplers, of DDIM and of TCD.
    /// Null means the sampler's own default.
    /// </summary>
    public float? Eta { get; init; }

    /// <summary>
    /// The program whose functions are used where programs mean different functions by one name of a schedule or a sampler.
    /// </summary>
    public SamplingDialect Dialect { get; init; }

    /// <summary>The quantity that the model predicts; by default what the model's file says.</summary>
    public ModelPrediction Prediction { get; init; }

    /// <summary>
    /// Guidance scale: 0, or 1 to 100. At 0 and 1 there is no guidance, the negative prompt is not used, and a step takes half the time.
    /// </summary>
    public float GuidanceScale { get; init; } = 7;

    /// <summary>
    /// The share, 0 to 1, in which the guided prediction is rescaled to the standard deviation of the prompt's own prediction (Lin et al.,
    /// 2024, section 3.4). 0.7 is usual for models with zero terminal SNR.
    /// With <see cref="SamplingDialect.Diffusers"/> it acts on the UNet's output, with the others on the velocity that it amounts to.
    /// </summary>
    public float GuidanceRescale { get; init; }

    /// <summary>
    /// The share of the steps, 0 to 1, after which guidance begins (Kynkäänniemi et al., 2024). Steps outside of the interval evaluate
    /// the prompt alone and take half the time.
    /// </summary>
    public float GuidanceFrom { get; init; }

    /// <summary>The share of the steps, 0 to 1, after which guidance ends; not below <see cref="GuidanceFrom"/>.</summary>
    public float GuidanceTo { get; init; } = 1;

    /// <summary>Whether the guidance scale has an effect, so that every evaluation also predicts for the negative prompt.</summary>
    [JsonIgnore]
    public bool IsGuided => GuidanceScale > 1;

    /// <summary>The schedule of timesteps and noise levels.</summary>
    public NoiseSchedule Schedule { get; init; } = new();

    /// <summary>The frame that is painted with the picture (鎏金画框); null means none.</summary>
    public PictureFrame? Frame { get; init; }

    /// <summary>
    /// The existing picture that this one is painted from; null means noise alone. Width and height are those at which it is painted.
    /// </summary>
    public PictureSource? Source { get; init; }

    /// <summary>
    /// The LoRAs that change the model for this picture; they add up in this order. None by default. LoRAs that the prompt names
    /// (<c>&lt;lora:name:0.8&gt;</c>) come after them; see <see cref="AtelierOptions.LoraFolders"/>. A second pass has the same, unless
    /// <see cref="HiresPass.Loras"/> or the tags of its own prompt name others. The list is copied; lists of equal LoRAs are equal.
    /// </summary>
    public IReadOnlyList<PictureLora> Loras { get; init => field = LoraList.Of(value); } = LoraList.Empty;

    /// <summary>
    /// Whether <see cref="Loras"/> already has those that the prompt names. The tags of a prompt that was read from a record are what they
    /// were when the picture was painted, whatever folders there are now.
    /// </summary>
    internal bool HasFinalLoras { get; init; }

    /// <summary>A second pass at a higher resolution; null means none.</summary>
    public HiresPass? Hires { get; init; }

    /// <summary>SDXL's size conditioning; null means an uncropped original of the picture's own size.</summary>
    public MicroConditioning? Conditioning { get; init; }

    /// <summary>
    /// The request of a picture in a series that begins with this one: the seed counts up, or with a variation the variation's seed
    /// (AUTOMATIC1111, modules/processing.py, process_images_inner).
    /// </summary>
    /// <param name="index">The picture's index in the series, from 0.</param>
    internal PictureRequest InSeries(int index) => VariationStrength > 0
        ? this with { VariationSeed = unchecked(VariationSeed + (ulong)index) }
        : this with { Seed = unchecked(Seed + (ulong)index) };
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
public sealed record MicroConditioning
{
    /// <summary>Creates a size conditioning. Painting checks the ranges.</summary>
    /// <param name="originalWidth">Width of the picture before any scaling.</param>
    /// <param name="originalHeight">Height of the picture before any scaling.</param>
    /// <param name="cropLeft">Columns cut off on the left.</param>
    /// <param name="cropTop">Rows cut off at the top.</param>
    /// <param name="targetWidth">The width that the picture should appear to be made for.</param>
    /// <param name="targetHeight">The height that the picture should appear to be made for.</param>
    public MicroConditioning(int originalWidth, int originalHeight, int cropLeft, int cropTop, int targetWidth, int targetHeight)
    {
        OriginalWidth = originalWidth;
        OriginalHeight = originalHeight;
        CropLeft = cropLeft;
        CropTop = cropTop;
        TargetWidth = targetWidth;
        TargetHeight = targetHeight;
    }

    /// <summary>Width of the picture before any scaling.</summary>
    public int OriginalWidth { get; init; }

    /// <summary>Height of the picture before any scaling.</summary>
    public int OriginalHeight { get; init; }

    /// <summary>Columns cut off on the left.</summary>
    public int CropLeft { get; init; }

    /// <summary>Rows cut off at the top.</summary>
    public int CropTop { get; init; }

    /// <summary>The width that the picture should appear to be made for.</summary>
    public int TargetWidth { get; init; }

    /// <summary>The height that the picture should appear to be made for.</summary>
    public int TargetHeight { get; init; }
}
