using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// Refuses files that are no LoRA for SDXL, by the names and shapes of their tensors. Metadata are not used, because trainers omit them and
/// tools copy them from other files.
/// </summary>
internal static class LoraKinds
{
    private const string OtherEdition = "Take the edition of the LoRA for SDXL.";

    // Names that only the networks of other models have.
    private static readonly (string Part, string Model)[] Foreign =
    [
        ("double_blocks", "Flux"),
        ("single_blocks", "Flux"),
        ("single_transformer_blocks", "Flux"),
        ("joint_blocks", "Stable Diffusion 3"),
        ("transformer.transformer_blocks.", "Stable Diffusion 3"),
        ("lora_transformer_transformer_blocks_", "Stable Diffusion 3"),
        ("lora_te3_", "Stable Diffusion 3"),
        ("lora_prior_", "Stable Cascade"),
    ];

    /// <summary>Requires that a file is a LoRA for SDXL, as far as its header shows.</summary>
    /// <exception cref="LoraKindException">It is something else.</exception>
    public static void Require(TensorFile file)
    {
        if (!file.Tensors.Keys.Any(name => LoraRoles.TryDivide(name, out _, out _))) throw NoLora(file);
        foreach (string name in file.Tensors.Keys)
        {
            if (LoraRoles.TryDivide(name, out _, out LoraRole role) && role == LoraRole.Unsupported) throw Unsupported(file, name);
            foreach ((string part, string model) in Foreign)
            {
                if (name.Contains(part, StringComparison.Ordinal)) throw ForModel(file, model);
            }
        }

        foreach (SafetensorsTensor tensor in file.Tensors.Values)
        {
            if (ContextWidth(tensor) is { } width && ModelOf(width) is { } model) throw ForModel(file, model);
        }
    }

    // The key projection of a cross-attention has as many inputs as the text encoders have channels: 2048 in SDXL.
    private static long? ContextWidth(SafetensorsTensor tensor)
    {
        if (!LoraRoles.TryDivide(tensor.Name, out string module, out LoraRole role)) return null;
        bool isKey = module.EndsWith("attn2_to_k", StringComparison.Ordinal) || module.EndsWith("attn2.to_k", StringComparison.Ordinal)
            || module.EndsWith("attn2.processor.to_k", StringComparison.Ordinal);
        bool hasInputs = role is LoraRole.Down or LoraRole.HadaW1B or LoraRole.Difference;
        return isKey && hasInputs && tensor.Shape.Count >= 2 ? tensor.Shape[1] : null;
    }

    private static string? ModelOf(long contextWidth) => contextWidth switch
    {
        768 => "Stable Diffusion 1.x",
        1024 => "Stable Diffusion 2.x",
        _ => null,
    };

    private static LoraKindException ForModel(TensorFile file, string model) =>
        new(file.Path, $"is a LoRA for {model}", OtherEdition);

    private static LoraKindException Unsupported(TensorFile file, string name)
    {
        string family = name switch
        {
            _ when name.Contains("boft", StringComparison.Ordinal) => "BOFT",
            _ when name.Contains("oft", StringComparison.Ordinal) || name.EndsWith(".rescale", StringComparison.Ordinal) => "OFT",
            _ when name.EndsWith(".on_input", StringComparison.Ordinal) => "IA3",
            _ => "a family that pads weights",
        };
        string found = $"is of the family {family} (it has a tensor '{SafetensorsHeader.Shorten(name)}'), which is not read";
        return new LoraKindException(file.Path, found, "Merge it into a checkpoint with the program that made it, or take a LoRA.");
    }

    private static LoraKindException NoLora(TensorFile file)
    {
        string? kind = file is SafetensorsFile safetensors ? CheckpointKindException.Describe(CheckpointInspector.Detect(safetensors)) : null;
        return new LoraKindException(file.Path, kind ?? "holds no LoRA", "Give the file of a LoRA.");
    }
}
