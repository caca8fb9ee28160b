namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// The prefixes of the tensor names of each part of an SDXL checkpoint. Tools write different prefixes; the first one that occurs in a
/// file is used.
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

    // The names of a VAE without a prefix are recognised by their first word.
    private static readonly string[] Vaes = ["first_stage_model.", "vae.", ""];

    /// <summary>The UNet's prefix; null where the file has no UNet.</summary>
    public static string? UNet(TensorNames names) => First(names, UNets);

    /// <summary>CLIP-L's prefix, before the names of transformers; null where the file has none.</summary>
    public static string? ClipL(TensorNames names) => First(names, ClipLs);

    /// <summary>CLIP-G's prefix, and whether its tensors have the names of transformers rather than those of open_clip.</summary>
    public static (string? Prefix, bool HasTransformersNames) ClipG(TensorNames names)
    {
        string? prefix = First(names, ClipGs);
        return prefix is null ? (First(names, TransformersClipGs), true) : (prefix, false);
    }

    /// <summary>The VAE's prefix, which may be empty; null where the file has no VAE.</summary>
    public static string? Vae(TensorNames names) =>
        Vaes.FirstOrDefault(prefix =>
            names.HasAny(prefix + "decoder.") || names.HasAny(prefix + "encoder.") || names.HasAny(prefix + "post_quant_conv."));

    private static string? First(TensorNames names, string[] prefixes) => prefixes.FirstOrDefault(names.HasAny);
}

/// <summary>The tensor names of a file, sorted, so that the names with a prefix are found by binary search.</summary>
internal sealed class TensorNames
{
    private readonly string[] _names;

    public TensorNames(TensorFile file)
    {
        _names = [.. file.Tensors.Keys];
        Array.Sort(_names, StringComparer.Ordinal);
    }

    /// <summary>Whether any name has the prefix.</summary>
    public bool HasAny(string prefix)
    {
        int index = IndexOf(prefix);
        return index < _names.Length && _names[index].StartsWith(prefix, StringComparison.Ordinal);
    }

    /// <summary>The names that have the prefix.</summary>
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
