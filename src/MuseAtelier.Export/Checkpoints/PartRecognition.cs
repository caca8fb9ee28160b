using static System.FormattableString;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>A part of the model in a file.</summary>
/// <param name="Part">The part; null for a text encoder of which the other files must tell which one it is.</param>
/// <param name="Prefix">The prefix of its tensors' names in the file; may be empty.</param>
internal sealed record FoundPart(ModelPart? Part, string Prefix);

/// <summary>Recognises by tensor names which parts of a model a file holds.</summary>
internal static class PartRecognition
{
    private const int WidthOfClipG = 1280;

    private static readonly string[] BareTexts = ["text_model.encoder.layers.", "encoder.layers.", "transformer.text_model.encoder.layers."];

    /// <summary>The parts that a file holds; empty where it holds something else.</summary>
    public static IReadOnlyList<FoundPart> Of(TensorFile file)
    {
        var names = new TensorNames(file);
        var found = new List<FoundPart>();
        if (CheckpointParts.UNet(names) is { } unet) found.Add(new FoundPart(ModelPart.UNet, unet));
        if (CheckpointParts.ClipL(names) is { } clipL) found.Add(new FoundPart(ModelPart.ClipL, clipL));
        if (CheckpointParts.ClipG(names).Prefix is { } clipG) found.Add(new FoundPart(ModelPart.ClipG, clipG));
        string? vae = CheckpointParts.Vae(names);
        if (!string.IsNullOrEmpty(vae)) found.Add(new FoundPart(ModelPart.Vae, vae));
        return found.Count > 0 ? found : OfBareNames(names);
    }

    /// <summary>Tells which of two text encoders with the names of transformers is CLIP-G: the wider one, or else the deeper one.</summary>
    /// <param name="first">The size of the first encoder.</param>
    /// <param name="second">The size of the second one; null if there is no other.</param>
    /// <returns>Whether the first one is CLIP-G; null if the sizes do not tell.</returns>
    public static bool? IsClipG((long Width, int Layers) first, (long Width, int Layers)? second)
    {
        if (second is not { } other) return first.Width >= WidthOfClipG;
        if (first.Width != other.Width) return first.Width > other.Width;
        return first.Layers == other.Layers ? null : first.Layers > other.Layers;
    }

    /// <summary>The width and the number of layers of a text encoder with the names of transformers.</summary>
    /// <param name="file">Its file.</param>
    /// <param name="prefix">The prefix of its names.</param>
    public static (long Width, int Layers) SizeOf(TensorFile file, string prefix)
    {
        var names = new TensorNames(file);
        string text = names.HasAny($"{prefix}text_model.") ? $"{prefix}text_model." : prefix;
        bool hasNorm = file.Tensors.TryGetValue($"{text}final_layer_norm.weight", out SafetensorsTensor? norm);
        int layers = 0;
        while (layers < Networks.CheckpointWeights.MostBlocks && names.HasAny(Invariant($"{text}encoder.layers.{layers}."))) layers++;
        return (hasNorm ? norm!.Elements : 0, layers);
    }

    private static FoundPart[] OfBareNames(TensorNames names)
    {
        if (names.HasAny("input_blocks.0.0.") || names.HasAny("down_blocks.0.resnets.")) return [new FoundPart(ModelPart.UNet, "")];
        if (names.HasAny("unet.down_blocks.0.resnets.")) return [new FoundPart(ModelPart.UNet, "unet.")];
        if (names.HasAny("decoder.conv_in.") || names.HasAny("encoder.conv_in.")) return [new FoundPart(ModelPart.Vae, "")];
        if (names.HasAny("transformer.resblocks.")) return [new FoundPart(ModelPart.ClipG, "")];
        if (!BareTexts.Any(names.HasAny)) return [];
        return [new FoundPart(null, names.HasAny("transformer.text_model.") ? "transformer." : "")];
    }
}
