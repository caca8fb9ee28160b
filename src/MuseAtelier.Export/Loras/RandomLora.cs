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
            if (key.StartsWith(UNet, StringComparison.Ordinal)) AddUNet(key, shape);
            else if (key.StartsWith(ClipL, StringComparison.Ordinal)) AddClipL(key, shape);
            else if (key.StartsWith(ClipG, StringComparison.Ordinal)) AddClipG(key, shape);
        }

        return tensors;

        void AddUNet(string key, IReadOnlyList<long> shape)
        {
            string layer = key[UNet.Length..];
            if (!layer.EndsWith(".weight", StringComparison.Ordinal)) return;
            bool isTransformer = layer.Contains(".transformer_blocks.", StringComparison.Ordinal)
                || layer.Contains(".proj_", StringComparison.Ordinal);
            bool isChanged = shape.Count == Matrix ? isTransformer : convolutions && shape.Count == Kernel;
            if (isChanged) Add("lora_unet_" + Flat(layer), shape);
        }

        void AddClipL(string key, IReadOnlyList<long> shape)
        {
            string layer = key[ClipL.Length..];
            bool isLinear = layer.StartsWith("encoder.", StringComparison.Ordinal) && layer.EndsWith(".weight", StringComparison.Ordinal);
            if (isLinear && shape.Count == Matrix) Add("lora_te1_text_model_" + Flat(layer), shape);
        }

        // The checkpoint has the second encoder in the form of open_clip: q, k and v are one tensor there.
        void AddClipG(string key, IReadOnlyList<long> shape)
        {
            Match match = OpenClipLayer().Match(key[ClipG.Length..]);
            if (!match.Success) return;
            string block = $"lora_te2_text_model_encoder_layers_{match.Groups[1].Value}_";
            switch (match.Groups[2].Value)
            {
                case "attn.in_proj_weight":
                    foreach (char part in "qkv") Add($"{block}self_attn_{part}_proj", [shape[0] / 3, shape[1]]);
                    break;
                case "attn.out_proj.weight":
                    Add(block + "self_attn_out_proj", shape);
                    break;
                case "mlp.c_fc.weight":
                    Add(block + "mlp_fc1", shape);
                    break;
                default:
                    Add(block + "mlp_fc2", shape);
                    break;
            }
        }

        void Add(string layer, IReadOnlyList<long> shape)
        {
            bool isKernel = shape.Count == Kernel;
            tensors.Add(new($"{layer}.lora_down.weight", isKernel ? [rank, shape[1], shape[2], shape[3]] : [rank, shape[1]]));
            tensors.Add(new($"{layer}.lora_up.weight", isKernel ? [shape[0], rank, 1, 1] : [shape[0], rank]));
            tensors.Add(new($"{layer}.alpha", []));
        }
    }

    private static string Flat(string layer) => layer[..^".weight".Length].Replace('.', '_');

    [GeneratedRegex(@"^(\d+)\.(attn\.in_proj_weight|attn\.out_proj\.weight|mlp\.c_fc\.weight|mlp\.c_proj\.weight)$")]
    private static partial Regex OpenClipLayer();
}
