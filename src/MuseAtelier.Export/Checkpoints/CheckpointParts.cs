namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// Where the parts of an SDXL checkpoint lie: the beginnings of their tensors' names. Tools write several; the first that a file has
/// counts.
/// </summary>
internal static class CheckpointParts
{
    private static readonly string[] UNets = ["model.diffusion_model.", "diffusion_model.", "model.model."];

    private static readonly string[] ClipLs =
    [
        "conditioner.embedders.0.transformer.text_model.",
        "conditioner.embedders.0.transformer.",
        "text_encoders.clip_l.transformer.text_model.",
        "clip_l.transformer.text_model.",
    ];

    private static readonly string[] ClipGs = ["conditioner.embedders.1.model."];

    private static readonly string[] TransformersClipGs =
    [
        "conditioner.embedders.1.transformer.",
        "text_encoders.clip_g.transformer.",
        "clip_g.transformer.",
    ];

    // Without any beginning, the names of a VAE are told by their first word.
    private static readonly string[] Vaes = ["first_stage_model.", "vae.", ""];

    /// <summary>The UNet's beginning; null where there is none.</summary>
    public static string? UNet(TensorNames names) => First(names, UNets);

    /// <summary>CLIP-L's beginning, under transformers' names.</summary>
    public static string? ClipL(TensorNames names) => First(names, ClipLs);

    /// <summary>CLIP-G's beginning, and whether its tensors have transformers' names rather than open_clip's.</summary>
    public static (string? Prefix, bool HasTransformersNames) ClipG(TensorNames names) =>
        First(names, ClipGs) is { } prefix ? (prefix, false) : (First(names, TransformersClipGs), true);

    /// <summary>The VAE's beginning.</summary>
    public static string? Vae(TensorNames names) =>
        Vaes.FirstOrDefault(prefix =>
            names.HasAny(prefix + "decoder.") || names.HasAny(prefix + "encoder.") || names.HasAny(prefix + "post_quant_conv."));

    private static string? First(TensorNames names, string[] prefixes) => prefixes.FirstOrDefault(names.HasAny);
}

/// <summary>A file's tensor names in order, so that asking for a beginning does not take reading them all.</summary>
internal sealed class TensorNames
{
    private readonly string[] _names;

    public TensorNames(SafetensorsFile file)
    {
        _names = [.. file.Tensors.Keys];
        Array.Sort(_names, StringComparer.Ordinal);
    }

    /// <summary>Whether any name begins so.</summary>
    public bool HasAny(string prefix)
    {
        int index = IndexOf(prefix);
        return index < _names.Length && _names[index].StartsWith(prefix, StringComparison.Ordinal);
    }

    /// <summary>The names that begin so.</summary>
    public ReadOnlySpan<string> Of(string prefix)
    {
        int start = IndexOf(prefix), end = start;
        while (end < _names.Length && _names[end].StartsWith(prefix, StringComparison.Ordinal)) end++;
        return _names.AsSpan(start..end);
    }

    private int IndexOf(string prefix)
    {
        int index = Array.BinarySearch(_names, prefix, StringComparer.Ordinal);
        return index < 0 ? ~index : index;
    }
}
