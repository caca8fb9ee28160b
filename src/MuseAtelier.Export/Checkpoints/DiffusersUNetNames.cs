using System.Globalization;
using static System.FormattableString;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// Translates the names that diffusers gives to the tensors of a UNet into those of single files. The numbers of blocks follow from the
/// names themselves, so distilled UNets are translated too. For SDXL it is the map of diffusers'
/// <c>scripts/convert_diffusers_to_original_sdxl.py</c>.
/// </summary>
internal sealed class DiffusersUNetNames
{
    private const int MostBlocks = 64;

    private static readonly Dictionary<string, string> Layers = new(StringComparer.Ordinal)
    {
        ["conv_in"] = "input_blocks.0.0",
        ["time_embedding.linear_1"] = "time_embed.0",
        ["time_embedding.linear_2"] = "time_embed.2",
        ["add_embedding.linear_1"] = "label_emb.0.0",
        ["add_embedding.linear_2"] = "label_emb.0.2",
        ["conv_norm_out"] = "out.0",
        ["conv_out"] = "out.2",
    };

    private static readonly Dictionary<string, string> ResBlockLayers = new(StringComparer.Ordinal)
    {
        ["norm1"] = "in_layers.0",
        ["conv1"] = "in_layers.2",
        ["time_emb_proj"] = "emb_layers.1",
        ["norm2"] = "out_layers.0",
        ["conv2"] = "out_layers.3",
        ["conv_shortcut"] = "skip_connection",
    };

    // The names of blocks of diffusers, with a dot at the end, and those of single files.
    private readonly Dictionary<string, string> _blocks = new(StringComparer.Ordinal);

    /// <summary>Finds the blocks of a UNet.</summary>
    /// <param name="names">The names of its tensors, without a prefix.</param>
    public DiffusersUNetNames(IEnumerable<string> names)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in names)
        {
            if (BlockOf(name) is { } block) found.Add(block);
        }

        AddDown(found);
        AddUp(found);
        _blocks["mid_block.resnets.0."] = "middle_block.0.";
        _blocks["mid_block.attentions.0."] = "middle_block.1.";
        _blocks["mid_block.resnets.1."] = "middle_block.2.";
    }

    /// <summary>Whether names of tensors are diffusers' and not those of single files.</summary>
    /// <param name="names">The names of a UNet's tensors, without a prefix.</param>
    public static bool AreOnes(IEnumerable<string> names) =>
        names.Any(name => name.StartsWith("down_blocks.", StringComparison.Ordinal));

    /// <summary>The name in single files; null for a tensor that these do not have.</summary>
    /// <param name="name">The name of diffusers.</param>
    public string? Translate(string name)
    {
        if (BlockOf(name) is { } block) return TranslateInBlock(name, block);
        int dot = name.LastIndexOf('.');
        return dot > 0 && Layers.TryGetValue(name[..dot], out string? layer) ? layer + name[dot..] : null;
    }

    private string? TranslateInBlock(string name, string block)
    {
        if (!_blocks.TryGetValue(block, out string? place)) return null;
        string rest = name[block.Length..];
        if (!block.Contains(".resnets.", StringComparison.Ordinal)) return place + rest;
        int dot = rest.LastIndexOf('.');
        return dot > 0 && ResBlockLayers.TryGetValue(rest[..dot], out string? layer) ? $"{place}{layer}{rest[dot..]}" : null;
    }

    // Each level of the way down has ResBlocks, each perhaps with a transformer, and a convolution that halves the plane.
    private void AddDown(HashSet<string> found)
    {
        int number = 1;
        for (int level = 0; level < MostBlocks; level++)
        {
            for (int i = 0; found.Contains(Invariant($"down_blocks.{level}.resnets.{i}.")); i++, number++)
            {
                _blocks[Invariant($"down_blocks.{level}.resnets.{i}.")] = Invariant($"input_blocks.{number}.0.");
                _blocks[Invariant($"down_blocks.{level}.attentions.{i}.")] = Invariant($"input_blocks.{number}.1.");
            }

            string halving = Invariant($"down_blocks.{level}.downsamplers.0.conv.");
            if (found.Contains(halving)) _blocks[halving] = Invariant($"input_blocks.{number++}.0.op.");
        }
    }

    // On the way up the convolution after doubling the plane belongs to the last block of the level.
    private void AddUp(HashSet<string> found)
    {
        int number = 0;
        for (int level = 0; level < MostBlocks; level++)
        {
            bool hasTransformer = false;
            for (int i = 0; found.Contains(Invariant($"up_blocks.{level}.resnets.{i}.")); i++, number++)
            {
                string transformer = Invariant($"up_blocks.{level}.attentions.{i}.");
                hasTransformer = found.Contains(transformer);
                _blocks[Invariant($"up_blocks.{level}.resnets.{i}.")] = Invariant($"output_blocks.{number}.0.");
                _blocks[transformer] = Invariant($"output_blocks.{number}.1.");
            }

            if (number == 0) continue;
            int part = hasTransformer ? 2 : 1;
            _blocks[Invariant($"up_blocks.{level}.upsamplers.0.conv.")] = Invariant($"output_blocks.{number - 1}.{part}.conv.");
        }
    }

    // The first parts of a name, up to the number of the ResBlock or transformer, or to the resampling convolution: null for others.
    private static string? BlockOf(string name)
    {
        string[] parts = name.Split('.', 7);
        bool isMiddle = parts[0] == "mid_block";
        int kind = isMiddle ? 1 : 2;
        if (!isMiddle && parts[0] is not ("down_blocks" or "up_blocks")) return null;
        if (parts.Length < kind + 3 || !isMiddle && !IsNumber(parts[1]) || !IsNumber(parts[kind + 1])) return null;
        return parts[kind] switch
        {
            "resnets" or "attentions" => string.Join('.', parts, 0, kind + 2) + ".",
            "downsamplers" or "upsamplers" when parts[kind + 2] == "conv" => string.Join('.', parts, 0, kind + 3) + ".",
            _ => null,
        };
    }

    private static bool IsNumber(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < MostBlocks;
}
