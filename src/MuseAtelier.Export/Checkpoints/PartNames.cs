namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// Translates the names of a part's tensors, as its own file or diffusers has them, into those of a single-file checkpoint. The CLIP-G of
/// transformers keeps its names behind a prefix that single files have for it, because its q, k and v are not stacked.
/// </summary>
internal static class PartNames
{
    private const string UNet = "model.diffusion_model.";
    private const string ClipL = "conditioner.embedders.0.transformer.text_model.";
    private const string ClipG = "conditioner.embedders.1.model.";
    private const string TransformersClipG = "conditioner.embedders.1.transformer.";
    private const string Vae = "first_stage_model.";
    private const string TextModel = "text_model.";

    /// <summary>Translates the names of one part. Tensors that single files do not have are left out.</summary>
    /// <param name="part">The part.</param>
    /// <param name="names">The names of its tensors, without the prefix of the part in its file.</param>
    /// <returns>The names in single files, by the given ones.</returns>
    public static IReadOnlyDictionary<string, string> Translate(ModelPart part, IReadOnlyCollection<string> names)
    {
        (string prefix, Func<string, string?> translate) = part switch
        {
            ModelPart.UNet => (UNet, DiffusersUNetNames.AreOnes(names) ? new DiffusersUNetNames(names).Translate : Same),
            ModelPart.Vae => (Vae, DiffusersVaeNames.AreOnes(names) ? new DiffusersVaeNames(names).Translate : Same),
            ModelPart.ClipL => (ClipL, WithoutTextModel),
            _ => names.Any(IsOpenClip) ? (ClipG, Same) : (TransformersClipG, WithTextModel),
        };
        var translated = new Dictionary<string, string>(names.Count, StringComparer.Ordinal);
        foreach (string name in names)
        {
            if (translate(name) is { } inner) translated[name] = prefix + inner;
        }

        return translated;
    }

    /// <summary>Whether a name is one of open_clip's for the layers of a text encoder.</summary>
    public static bool IsOpenClip(string name) => name.StartsWith("transformer.resblocks.", StringComparison.Ordinal);

    private static Func<string, string?> Same => static name => name;

    // CLIP-L in a file of its own may have a projection, which SDXL does not use.
    private static string? WithoutTextModel(string name)
    {
        if (name.StartsWith("text_projection", StringComparison.Ordinal)) return null;
        return name.StartsWith(TextModel, StringComparison.Ordinal) ? name[TextModel.Length..] : name;
    }

    // Newer versions of transformers may leave the first word of the names out. The projection never has it.
    private static string WithTextModel(string name)
    {
        bool isBare = name.StartsWith("encoder.", StringComparison.Ordinal)
            || name.StartsWith("embeddings.", StringComparison.Ordinal)
            || name.StartsWith("final_layer_norm.", StringComparison.Ordinal);
        return isBare ? TextModel + name : name;
    }
}
