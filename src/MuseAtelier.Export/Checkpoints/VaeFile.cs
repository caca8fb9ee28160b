using static System.FormattableString;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>Opens VAEs in files of their own, with the names of single files (with or without a prefix) or of diffusers.</summary>
internal static class VaeFile
{
    /// <summary>The prefix of a VAE's tensors in single-file checkpoints, which an opened VAE's have too.</summary>
    public const string Prefix = "first_stage_model.";

    private const int LatentChannels = 4;

    /// <summary>Opens a VAE. A checkpoint that holds one is taken too.</summary>
    /// <param name="path">Path of the file.</param>
    /// <returns>The VAE's tensors under the names of single-file checkpoints.</returns>
    /// <exception cref="CheckpointException">The file cannot be read, or holds no VAE of SDXL.</exception>
    public static TensorFile Open(string path)
    {
        using (TensorFile file = TensorFile.Open(path))
        {
            if (KindOf(file) is { } kind) throw new VaeKindException(path, kind);
        }

        TensorFile? vae = CompositeFile.OpenPart(path, ModelPart.Vae);
        if (vae is null) throw new VaeKindException(path, "holds no VAE");
        try
        {
            RequireLatents(path, vae);
            return vae;
        }
        catch
        {
            vae.Dispose();
            throw;
        }
    }

    // The kinds that are known by their names alone; null for others.
    private static string? KindOf(TensorFile file)
    {
        foreach (string name in file.Tensors.Keys)
        {
            // AutoencoderTiny of diffusers, and TAESD in its own files.
            if (name.StartsWith("decoder.layers.", StringComparison.Ordinal) || name == "3.conv.0.weight")
                return "is a tiny VAE (TAESD), which paints previews";
            if (name.StartsWith("decoder.middle.", StringComparison.Ordinal)) return "is the VAE of a video model";
        }

        return CheckpointInspector.Detect(file) switch
        {
            CheckpointKind.Lora => "is a LoRA",
            CheckpointKind.ControlNet => "is a ControlNet",
            CheckpointKind.Upscaler => "is an upscaler",
            CheckpointKind.TextualInversion => "is a textual inversion",
            CheckpointKind.StableDiffusion3 => "is a Stable Diffusion 3 model",
            CheckpointKind.Flux => "is a Flux model",
            _ => null,
        };
    }

    private static void RequireLatents(string path, TensorFile vae)
    {
        bool hasDecoder = vae.Tensors.TryGetValue(Prefix + "decoder.conv_in.weight", out SafetensorsTensor? first);
        if (!hasDecoder) throw new VaeKindException(path, "holds a VAE without a decoder");
        if (first!.Shape is not [_, var channels, ..] || channels == LatentChannels) return;
        string model = channels == 16 ? ", as those of Stable Diffusion 3 and Flux" : "";
        throw new VaeKindException(path, Invariant($"is a VAE whose latents have {channels} channels{model}"));
    }
}
