namespace MuseAtelier.Export.Checkpoints;

/// <summary>Tells from tensor names what a file holds. Names, not metadata: trainers leave that out or copy it from other models.</summary>
public static class CheckpointInspector
{
    /// <summary>Some tensor whose name tells that the UNet of an SDXL file reads more than latents.</summary>
    private const string FirstConvolution = "model.diffusion_model.input_blocks.0.0.weight";

    /// <summary>What the file holds.</summary>
    public static CheckpointKind Detect(SafetensorsFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (Contains(file, ".lora_up.", ".lora_down.", ".lora_A.", ".lora_B.", ".hada_w1_", ".lokr_w1", ".oft_blocks") || Begins(file, "lora_unet_", "lora_te")) return CheckpointKind.Lora;
        // SD3 and Flux before SDXL: complete files of theirs carry text encoders and a VAE too.
        if (Begins(file, "model.diffusion_model.joint_blocks.", "joint_blocks.")) return CheckpointKind.StableDiffusion3;
        if (Begins(file, "model.diffusion_model.double_blocks.", "double_blocks.", "single_transformer_blocks.")) return CheckpointKind.Flux;
        if (Begins(file, "control_model.", "controlnet_")) return CheckpointKind.ControlNet;
        if (Begins(file, "conditioner.embedders.0.model.")) return CheckpointKind.SdxlRefiner;
        if (Begins(file, "cond_stage_model.model.")) return CheckpointKind.StableDiffusion2;
        if (Begins(file, "cond_stage_model.")) return CheckpointKind.StableDiffusion1;
        if (Begins(file, "model.diffusion_model.")) return Begins(file, "conditioner.embedders.1.") ? DetectSdxl(file) : CheckpointKind.LoneUNet;
        return DetectPart(file);
    }

    /// <summary>Makes sure that the file is an SDXL checkpoint that this engine can paint with.</summary>
    /// <exception cref="CheckpointKindException">It is something else.</exception>
    public static void RequireSdxlBase(SafetensorsFile file)
    {
        CheckpointKind kind = Detect(file);
        if (kind != CheckpointKind.SdxlBase) throw new CheckpointKindException(file.Path, kind);
    }

    private static CheckpointKind DetectSdxl(SafetensorsFile file)
    {
        if (file.Tensors.TryGetValue(FirstConvolution, out SafetensorsTensor? first) && first.Shape is [_, long channels, ..])
        {
            if (channels == 9) return CheckpointKind.SdxlInpainting;
            if (channels == 8) return CheckpointKind.SdxlEditing;
        }

        // Such files have the very same network: only these marks tell that reading its output as noise would paint mud.
        if (file.Tensors.ContainsKey("edm_mean") || Begins(file, "edm_vpred.")) return CheckpointKind.SdxlEdm;
        bool isVelocity = file.Tensors.ContainsKey("v_pred") || (file.Metadata.TryGetValue("modelspec.prediction_type", out string? prediction) && prediction is "v" or "v_prediction");
        return isVelocity ? CheckpointKind.SdxlVelocity : CheckpointKind.SdxlBase;
    }

    private static CheckpointKind DetectPart(SafetensorsFile file)
    {
        if (Begins(file, "decoder.up_blocks.", "encoder.down_blocks.", "decoder.up.", "encoder.down.", "first_stage_model.")) return CheckpointKind.LoneVae;
        if (Begins(file, "transformer_blocks.0.attn.add_")) return CheckpointKind.StableDiffusion3;
        if (Begins(file, "down_blocks.", "input_blocks.")) return CheckpointKind.LoneUNet;
        if (Begins(file, "text_model.", "transformer.resblocks.", "encoder.block.", "conditioner.", "text_encoders.")) return CheckpointKind.LoneTextEncoder;
        return file.Tensors.Count <= 2 && Begins(file, "clip_g", "clip_l", "emb_params") ? CheckpointKind.TextualInversion : CheckpointKind.Unknown;
    }

    private static bool Begins(SafetensorsFile file, params ReadOnlySpan<string> prefixes)
    {
        foreach (string name in file.Tensors.Keys)
        {
            foreach (string prefix in prefixes)
            {
                if (name.StartsWith(prefix, StringComparison.Ordinal)) return true;
            }
        }

        return false;
    }

    private static bool Contains(SafetensorsFile file, params ReadOnlySpan<string> parts)
    {
        foreach (string name in file.Tensors.Keys)
        {
            foreach (string part in parts)
            {
                if (name.Contains(part, StringComparison.Ordinal)) return true;
            }
        }

        return false;
    }
}

/// <summary>The file is in order, but holds something else than an SDXL base model.</summary>
public sealed class CheckpointKindException(string path, CheckpointKind kind)
    : CheckpointException(path, $"{path} {Describe(kind)}", "a single-file SDXL base checkpoint that predicts noise", Advise(kind))
{
    /// <summary>What the file holds.</summary>
    public CheckpointKind Kind { get; } = kind;

    private static string Describe(CheckpointKind kind) => kind switch
    {
        CheckpointKind.SdxlInpainting => "is an SDXL inpainting model (its UNet reads 9 channels)",
        CheckpointKind.SdxlEditing => "is an SDXL editing model (its UNet reads 8 channels)",
        CheckpointKind.SdxlVelocity => "is an SDXL model that predicts velocity",
        CheckpointKind.SdxlEdm => "is an SDXL model of the EDM formulation",
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
        _ => "holds no model that is known here",
    };

    private static string Advise(CheckpointKind kind) => kind switch
    {
        CheckpointKind.Lora => "Merge it into an SDXL checkpoint with another tool first, or use the checkpoint without it.",
        CheckpointKind.LoneUNet or CheckpointKind.LoneVae or CheckpointKind.LoneTextEncoder => "Take the complete checkpoint: one file of about 6.9 GB in fp16.",
        CheckpointKind.SdxlRefiner => "Take the base model: sd_xl_base_1.0.safetensors or one trained from it.",
        _ => "Take an SDXL base model or one trained from it.",
    };
}
