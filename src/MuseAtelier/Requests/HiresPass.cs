namespace MuseAtelier;

/// <summary>
/// A second pass at a higher resolution (AUTOMATIC1111's hires fix): the picture is painted at the request's size, enlarged, and painted
/// again from there with the same seed.
/// </summary>
public sealed record HiresPass
{
    /// <summary>The factor of width and height, above 1 and up to 8; the sides are rounded down to multiples of 8.</summary>
    public float Scale { get; init; } = 2;

    /// <summary>How much the second pass paints anew, above 0 and up to 1.</summary>
    public float Strength { get; init; } = 0.5f;

    /// <summary>
    /// The steps that the second pass runs, 1 to 1000; null means the request's steps. They are the last ones of a schedule that is longer
    /// in the proportion of 1 to <see cref="Strength"/>, and which may have 1000 steps (AUTOMATIC1111, modules/sd_samplers_common.py,
    /// setup_img2img_steps). Without effect if the schedule is a list of timesteps, of which the strength's share runs.
    /// </summary>
    public int? Steps { get; init; }

    /// <summary>How the picture is enlarged between the passes.</summary>
    public HiresUpscaler Upscaler { get; init; } = HiresUpscaler.Latent;

    /// <summary>The prompt of the second pass; null means the request's.</summary>
    public string? Prompt { get; init; }

    /// <summary>The negative prompt of the second pass; null means the request's.</summary>
    public string? NegativePrompt { get; init; }

    /// <summary>The sampler of the second pass; null means the request's.</summary>
    public SamplerName? Sampler { get; init; }

    /// <summary>The schedule of the second pass; null means the request's.</summary>
    public NoiseSchedule? Schedule { get; init; }

    /// <summary>The guidance scale of the second pass; null means the request's.</summary>
    public float? GuidanceScale { get; init; }

    /// <summary>
    /// The LoRAs of the second pass, in the place of the request's; null means the request's, and an empty list none. LoRAs that the prompt
    /// of the second pass names come after them, in the place of those that the request's prompt names. The list is copied; lists of equal
    /// LoRAs are equal.
    /// </summary>
    public IReadOnlyList<PictureLora>? Loras { get; init => field = LoraList.Of(value); }

    /// <summary>
    /// Whether <see cref="Loras"/>, or the request's if it is null, already has those that <see cref="Prompt"/> names. See
    /// <see cref="PictureRequest.HasFinalLoras"/>.
    /// </summary>
    internal bool HasFinalLoras { get; init; }

    /// <summary>The size of the second pass for a picture.</summary>
    /// <param name="width">Width of the first pass in px.</param>
    /// <param name="height">Height of the first pass in px.</param>
    public (int Width, int Height) SizeOf(int width, int height) => (Side(width), Side(height));

    private int Side(int side) => (int)((double)side * Scale) / RequestRules.SizeMultiple * RequestRules.SizeMultiple;
}

/// <summary>A way to enlarge a picture between the passes.</summary>
public sealed record HiresUpscaler
{
    /// <summary>The name of every upscaler that is a model.</summary>
    internal const string ModelId = "model";

    private HiresUpscaler(string id) => Id = id;

    /// <summary>Bilinear interpolation of the latents.</summary>
    public static HiresUpscaler Latent { get; } = new("latent");

    /// <summary>Bicubic interpolation of the latents.</summary>
    public static HiresUpscaler LatentBicubic { get; } = new("latent-bicubic");

    /// <summary>The nearest latent.</summary>
    public static HiresUpscaler LatentNearest { get; } = new("latent-nearest");

    /// <summary>Lanczos interpolation of the decoded picture, which is then encoded again.</summary>
    public static HiresUpscaler Lanczos { get; } = new("lanczos");

    /// <summary>Every way that needs no model.</summary>
    public static IReadOnlyList<HiresUpscaler> BuiltIn { get; } = [Latent, LatentBicubic, LatentNearest, Lanczos];

    /// <summary>The name: latent, latent-bicubic, latent-nearest, lanczos, or model.</summary>
    public string Id { get; }

    /// <summary>The path of an upscaler's file; null unless <see cref="Id"/> is model.</summary>
    public string? Path { get; private init; }

    /// <summary>SHA-256 of the upscaler's file, lower-case hex; null where no file is used, or its digest is not known yet.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Enlarges the decoded picture with an upscaler's model, and brings it to the size of the second pass.</summary>
    /// <param name="path">The model's file: .safetensors or .pth.</param>
    /// <exception cref="ArgumentException">The path is empty.</exception>
    public static HiresUpscaler Model(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return new HiresUpscaler(ModelId) { Path = path };
    }
}
