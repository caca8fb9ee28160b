namespace MuseAtelier;

/// <summary>The kind of model in a safetensors file, as its tensor names show.</summary>
public enum CheckpointKind
{
    /// <summary>An unknown kind.</summary>
    Unknown,

    /// <summary>SDXL base or a model trained from it that predicts noise. This engine paints with it.</summary>
    SdxlBase,

    /// <summary>SDXL whose UNet also reads a mask and a masked picture (9 input channels). This engine paints with it.</summary>
    SdxlInpainting,

    /// <summary>SDXL whose UNet also reads a picture to edit (8 input channels).</summary>
    SdxlEditing,

    /// <summary>SDXL that predicts velocity, not noise. This engine paints with it.</summary>
    SdxlVelocity,

    /// <summary>SDXL trained in the EDM formulation, as Playground 2.5 and CosXL. This engine paints with it.</summary>
    SdxlEdm,

    /// <summary>The SDXL refiner.</summary>
    SdxlRefiner,

    /// <summary>Stable Diffusion 1.x.</summary>
    StableDiffusion1,

    /// <summary>Stable Diffusion 2.x.</summary>
    StableDiffusion2,

    /// <summary>Stable Diffusion 3 or 3.5.</summary>
    StableDiffusion3,

    /// <summary>Flux.</summary>
    Flux,

    /// <summary>A LoRA or a related format. It holds changes to a model, not a model.</summary>
    Lora,

    /// <summary>A ControlNet.</summary>
    ControlNet,

    /// <summary>A textual inversion. It holds a learned word, not a model.</summary>
    TextualInversion,

    /// <summary>A UNet without text encoders.</summary>
    LoneUNet,

    /// <summary>A VAE alone.</summary>
    LoneVae,

    /// <summary>A text encoder alone.</summary>
    LoneTextEncoder,

    /// <summary>An upscaler, which enlarges pictures.</summary>
    Upscaler,
}
