namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// Detects the kind of model in a file. The detection uses tensor names and not metadata because trainers omit metadata or copy it from
/// other models. The prediction type of an SDXL model does not show in its tensor names, so every mark of it counts:
/// <see cref="PredictionMarks"/>.
/// </summary>
internal static class CheckpointInspector
{
    /// <summary>
    /// The UNet's first convolution. Its input channels distinguish inpainting (9) and editing (8) models from base models (4).
    /// </summary>
    private const string FirstConvolution = "input_blocks.0.0.weight";

    /// <summary>Detects the kind of model in a file.</summary>
    /// <exception cref="CheckpointUnreadableException">A .yaml file beside it cannot be read.</exception>
    public static CheckpointKind Detect(TensorFile file)
    {
        CheckpointKind kind = DetectByNames(file);
        return kind == CheckpointKind.SdxlBase ? PredictionMarks.Find(file)?.Kind ?? kind : kind;
    }

    /// <summary>
    /// Describes the mark by which a file shows that its UNet predicts something else than noise, in words; null where there is none.
    /// </summary>
    /// <exception cref="CheckpointUnreadableException">A .yaml file beside it cannot be read.</exception>
    public static string? PredictionMarkOf(TensorFile file) => PredictionMarks.Find(file)?.Text;

    /// <summary>
    /// Requires that the file is an SDXL checkpoint that this engine supports, whatever its UNet predicts.
    /// </summary>
    /// <exception cref="CheckpointKindException">The file is of another kind.</exception>
    /// <exception cref="CheckpointUnreadableException">A .yaml file beside it cannot be read.</exception>
    public static void RequireSdxlBase(TensorFile file)
    {
        CheckpointKind kind = Detect(file);
        bool isSupported = kind is CheckpointKind.SdxlBase or CheckpointKind.SdxlInpainting or CheckpointKind.SdxlVelocity
            or CheckpointKind.SdxlEdm;
        if (!isSupported) throw new CheckpointKindException(file.Path, kind);
    }

    private static CheckpointKind DetectByNames(TensorFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (IsLora(file)) return CheckpointKind.Lora;
        // SD3 and Flux are checked before SDXL because their complete files contain text encoders and a VAE too.
        if (Begins(file, "model.diffusion_model.joint_blocks.", "joint_blocks.")) return CheckpointKind.StableDiffusion3;
        if (Begins(file, "model.diffusion_model.double_blocks.", "double_blocks.", "single_transformer_blocks."))
            return CheckpointKind.Flux;
        if (Begins(file, "control_model.", "controlnet_")) return CheckpointKind.ControlNet;
        if (Begins(file, "conditioner.embedders.0.model.")) return CheckpointKind.SdxlRefiner;
        if (Begins(file, "cond_stage_model.model.")) return CheckpointKind.StableDiffusion2;
        if (Begins(file, "cond_stage_model.")) return CheckpointKind.StableDiffusion1;
        var names = new TensorNames(file);
        if (CheckpointParts.UNet(names) is not { } unet) return DetectPart(file);
        return CheckpointParts.ClipG(names).Prefix is null ? CheckpointKind.LoneUNet : DetectSdxl(file, unet);
    }

    // LoRA itself under the names of several trainers, and its relatives LoHa, LoKr and OFT.
    private static bool IsLora(TensorFile file) =>
        Contains(file, ".lora_up.", ".lora_down.", ".lora_A.", ".lora_B.", ".hada_w1_", ".lokr_w1", ".oft_blocks")
        || Begins(file, "lora_unet_", "lora_te");

    private static CheckpointKind DetectSdxl(TensorFile file, string unet)
    {
        file.Tensors.TryGetValue(unet + FirstConvolution, out SafetensorsTensor? first);
        return first?.Shape switch
        {
            [_, 9, ..] => CheckpointKind.SdxlInpainting,
            [_, 8, ..] => CheckpointKind.SdxlEditing,
            _ => CheckpointKind.SdxlBase,
        };
    }

    private static CheckpointKind DetectPart(TensorFile file)
    {
        if (Begins(file, "decoder.up_blocks.", "encoder.down_blocks.", "decoder.up.", "encoder.down.", "first_stage_model."))
            return CheckpointKind.LoneVae;
        if (Begins(file, "transformer_blocks.0.attn.add_")) return CheckpointKind.StableDiffusion3;
        if (Begins(file, "down_blocks.", "input_blocks.")) return CheckpointKind.LoneUNet;
        if (Begins(file, "text_model.", "transformer.resblocks.", "encoder.block.", "conditioner.", "text_encoders."))
            return CheckpointKind.LoneTextEncoder;
        // The first layers of the RRDB and the compact architecture.
        if (Contains(file, ".rdb1.conv1.", ".RDB1.conv1.") || Begins(file, "body.0.weight")) return CheckpointKind.Upscaler;
        bool isTextualInversion = file.Tensors.Count <= 2 && Begins(file, "clip_g", "clip_l", "emb_params");
        return isTextualInversion ? CheckpointKind.TextualInversion : CheckpointKind.Unknown;
    }

    private static bool Begins(TensorFile file, params ReadOnlySpan<string> prefixes)
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

    private static bool Contains(TensorFile file, params ReadOnlySpan<string> parts)
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
