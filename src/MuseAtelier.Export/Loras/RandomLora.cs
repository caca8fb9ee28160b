using System.Text.RegularExpressions;
using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// Lists the tensors of a LoRA over every layer that kohya's scripts train, with their names (sd-scripts networks/lora.py:
/// UNET_TARGET_REPLACE_MODULE and TEXT_ENCODER_TARGET_REPLACE_MODULE). <see cref="RandomCheckpoint"/> fills such a file with random
/// numbers, by which speed and memory are measured.
/// </summary>
internal static partial class RandomLora
{
    private const string UNet = "model.diffusion_model.";
    private const string ClipL = "conditioner.embedders.0.transformer.text_model.";
    private const string ClipG = "conditioner.embedders.1.model.transformer.resblocks.";
    private const string WeightEnd = ".weight";
    private const int Matrix = 2;
    private const int Kernel = 4;

    /// <summary>The tensors of the LoRA: two factors and alpha for each layer.</summary>
    /// <param name="checkpoint">Names and shapes of the tensors of an SDXL checkpoint.</param>
    /// <param name="rank">The rank of every change.</param>
    /// <param name="convolutions">Whether convolutions of the UNet are changed as well, as in LoCon.</param>
    public static IReadOnlyList<KeyValuePair<string, IReadOnlyList<long>>> Shapes(
        IEnumerable<KeyValuePair<string, IReadOnlyList<long>>> checkpoint, int rank, bool convolutions)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rank);
        List<KeyValuePair<string, IReadOnlyList<long>>> tensors = [];
        foreach ((string key, IReadOnlyList<long> shape) in checkpoint)
        {
            foreach ((string layer, IReadOnlyList<long> changed) in LayersOf(key, shape, convolutions))
            {
                bool isKernel = changed.Count == Kernel;
                tensors.Add(new($"{layer}.lora_down.weight", isKernel ? [rank, .. changed.Skip(1)] : [rank, changed[1]]));
                tensors.Add(new($"{layer}.lora_up.weight", isKernel ? [changed[0], rank, 1, 1] : [changed[0], rank]));
                tensors.Add(new($"{layer}.alpha", []));
            }
        }

        return tensors;
    }

    private static IEnumerable<KeyValuePair<string, IReadOnlyList<long>>> LayersOf(
        string key, IReadOnlyList<long> shape, bool convolutions)
    {
        if (key.StartsWith(UNet, StringComparison.Ordinal)) return OfUNet(key[UNet.Length..], shape, convolutions);
        if (key.StartsWith(ClipL, StringComparison.Ordinal)) return OfClipL(key[ClipL.Length..], shape);
        return key.StartsWith(ClipG, StringComparison.Ordinal) ? OfClipG(key[ClipG.Length..], shape) : [];
    }

    private static IEnumerable<KeyValuePair<string, IReadOnlyList<long>>> OfUNet(
        string tensor, IReadOnlyList<long> shape, bool convolutions)
    {
        if (!tensor.EndsWith(WeightEnd, StringComparison.Ordinal)) return [];
        bool isTransformer = tensor.Contains(".transformer_blocks.", StringComparison.Ordinal)
            || tensor.Contains(".proj_", StringComparison.Ordinal);
        bool isChanged = shape.Count == Matrix ? isTransformer : convolutions && shape.Count == Kernel;
        return isChanged ? [new("lora_unet_" + Flat(tensor), shape)] : [];
    }

    private static IEnumerable<KeyValuePair<string, IReadOnlyList<long>>> OfClipL(string tensor, IReadOnlyList<long> shape)
    {
        bool isLayer = tensor.StartsWith("encoder.", StringComparison.Ordinal) && tensor.EndsWith(WeightEnd, StringComparison.Ordinal);
        return isLayer && shape.Count == Matrix ? [new("lora_te1_text_model_" + Flat(tensor), shape)] : [];
    }

    // The checkpoint has the second encoder in the form of open_clip: q, k and v are one tensor there.
    private static IEnumerable<KeyValuePair<string, IReadOnlyList<long>>> OfClipG(string tensor, IReadOnlyList<long> shape)
    {
        Match match = OpenClipLayer().Match(tensor);
        if (!match.Success) return [];
        string block = $"lora_te2_text_model_encoder_layers_{match.Groups[1].Value}_";
        IReadOnlyList<long> third = [shape[0] / 3, .. shape.Skip(1)];
        return match.Groups[2].Value switch
        {
            "attn.in_proj_weight" => "qkv".Select(part => KeyValuePair.Create($"{block}self_attn_{part}_proj", third)),
            "attn.out_proj.weight" => [new(block + "self_attn_out_proj", shape)],
            "mlp.c_fc.weight" => [new(block + "mlp_fc1", shape)],
            _ => [new(block + "mlp_fc2", shape)],
        };
    }

    private static string Flat(string tensor) => tensor[..^WeightEnd.Length].Replace('.', '_');

    [GeneratedRegex(@"^(\d+)\.(attn\.in_proj_weight|attn\.out_proj\.weight|mlp\.c_fc\.weight|mlp\.c_proj\.weight)$")]
    private static partial Regex OpenClipLayer();
}
