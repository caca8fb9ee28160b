using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Export.Networks;

/// <summary>
/// The marks of networks that enlarge pictures but are not supported, so that a refusal can name them. The names of the tensors are those
/// that spandrel's detection looks for (<c>libs/spandrel/spandrel/architectures</c> of chaiNNer-org/spandrel).
/// </summary>
internal static class UpscalerKinds
{
    private const int SampleNames = 3;

    private static readonly (string Part, string Kind)[] Marks =
    [
        (".conv1x1.weight", "ESRGAN+"),
        ("overlap_attn.qkv.", "HAT"),
        ("relative_position_index_SA", "HAT"),
        (".attn.aligned_rpi", "SRFormer"),
        (".attn_atd.", "ATD"),
        (".attn_mask_0", "DAT"),
        (".ffn.sg.norm.", "DAT"),
        (".attn.logit_scale", "Swin2SR"),
        (".residual_group.blocks.", "SwinIR"),
        ("block_1.c1_r.", "SPAN"),
        ("feats.1.lk.", "PLKSR"),
        ("residual_layer.0.residual_layer.", "OmniSR"),
        ("unet1.conv1.", "Real-CUGAN"),
        ("stylegan_decoder", "GFPGAN"),
        ("RCAB", "RCAN"),
    ];

    /// <summary>The kind of a file with such a mark; null if it has none.</summary>
    public static string? Find(TensorFile file)
    {
        foreach ((string part, string kind) in Marks)
            if (file.Tensors.Keys.Any(name => name.Contains(part, StringComparison.Ordinal))) return kind;
        return null;
    }

    /// <summary>The first names of a file's tensors, for messages.</summary>
    public static IReadOnlyList<string> Sample(TensorFile file) =>
        [.. file.Tensors.Keys.Order(StringComparer.Ordinal).Take(SampleNames).Select(SafetensorsHeader.Shorten)];
}
