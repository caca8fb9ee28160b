namespace MuseAtelier.Export.Checkpoints;

/// <summary>A part of an SDXL model that may be in a file of its own.</summary>
internal enum ModelPart
{
    /// <summary>The UNet.</summary>
    UNet,

    /// <summary>The first text encoder.</summary>
    ClipL,

    /// <summary>The second text encoder.</summary>
    ClipG,

    /// <summary>The VAE.</summary>
    Vae,
}

/// <summary>Names of the parts for messages.</summary>
internal static class ModelPartNames
{
    /// <summary>The part's name in messages.</summary>
    public static string Text(this ModelPart part) => part switch
    {
        ModelPart.UNet => "UNet",
        ModelPart.ClipL => "CLIP-L",
        ModelPart.ClipG => "CLIP-G",
        _ => "VAE",
    };
}
