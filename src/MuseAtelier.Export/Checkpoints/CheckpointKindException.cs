namespace MuseAtelier;

/// <summary>The file is valid, but it holds something else than an SDXL base or inpainting model.</summary>
public sealed class CheckpointKindException : CheckpointException
{
    internal CheckpointKindException(string path, CheckpointKind kind)
        : base(
            path,
            $"{path} {Describe(kind)}",
            "a single-file SDXL base or inpainting checkpoint",
            Advise(kind)) =>
            Kind = kind;

    /// <summary>The kind of model in the file.</summary>
    public CheckpointKind Kind { get; }

    /// <summary>Describes a kind: the rest of a sentence that begins with the path.</summary>
    internal static string Describe(CheckpointKind kind) => kind switch
    {
        CheckpointKind.SdxlEditing => "is an SDXL editing model (its UNet reads 8 channels)",
        CheckpointKind.SdxlRefiner => "is the SDXL refiner",
        CheckpointKind.StableDiffusion1 => "is a Stable Diffusion 1.x checkpoint",
        CheckpointKind.StableDiffusion2 => "is a Stable Diffusion 2.x checkpoint",
        CheckpointKind.StableDiffusion3 => "is a Stable Diffusion 3 model",
        CheckpointKind.Flux => "is a Flux model",
        CheckpointKind.Lora => "is a LoRA",
        CheckpointKind.ControlNet => "is a ControlNet",
        CheckpointKind.TextualInversion => "is a textual inversion",
        CheckpointKind.LoneUNet => "holds a UNet without text encoders",
        CheckpointKind.LoneVae => "holds a VAE alone",
        CheckpointKind.LoneTextEncoder => "holds a text encoder alone",
        CheckpointKind.Upscaler => "is an upscaler",
        CheckpointKind.SdxlBase or CheckpointKind.SdxlInpainting or CheckpointKind.SdxlVelocity or CheckpointKind.SdxlEdm =>
            "is an SDXL checkpoint",
        _ => "holds no model that is known here",
    };

    private static string Advise(CheckpointKind kind) => kind switch
    {
        CheckpointKind.Lora => "Merge it into an SDXL checkpoint with another tool first, or use the checkpoint without it.",
        CheckpointKind.LoneUNet or CheckpointKind.LoneVae or CheckpointKind.LoneTextEncoder =>
            "Take the complete checkpoint, one file of about 6.9 GB in fp16, or put all parts into one folder and give its path.",
        CheckpointKind.Upscaler => "Enlarge pictures with it: muse upscale --model, or take an SDXL base model.",
        CheckpointKind.SdxlRefiner => "Take the base model: sd_xl_base_1.0.safetensors or one trained from it.",
        _ => "Take an SDXL base model or one trained from it.",
    };
}
