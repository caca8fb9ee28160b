using System.Globalization;
using System.Text.RegularExpressions;
using static System.FormattableString;

namespace MuseAtelier.Export.Checkpoints;

/// <summary>
/// Translates the names that diffusers gives to the tensors of a VAE into those of single files: the map of diffusers'
/// <c>scripts/convert_diffusers_to_original_sdxl.py</c>, and the older names of its attention.
/// </summary>
internal sealed partial class DiffusersVaeNames
{
    private static readonly Dictionary<string, string> AttentionLayers = new(StringComparer.Ordinal)
    {
        ["group_norm"] = "norm",
        ["to_q"] = "q",
        ["to_k"] = "k",
        ["to_v"] = "v",
        ["to_out.0"] = "proj_out",
        ["query"] = "q",
        ["key"] = "k",
        ["value"] = "v",
        ["proj_attn"] = "proj_out",
    };

    private readonly int _levels;

    /// <summary>Counts the levels of a VAE: diffusers numbers those of the decoder the other way round.</summary>
    /// <param name="names">The names of its tensors, without a prefix.</param>
    public DiffusersVaeNames(IEnumerable<string> names) =>
        _levels = names.Select(name => Level().Match(name)).Where(match => match.Success).Select(match => Number(match, 1) + 1).Append(0).Max();

    /// <summary>Whether names of tensors are diffusers' and not those of single files.</summary>
    /// <param name="names">The names of a VAE's tensors, without a prefix.</param>
    public static bool AreOnes(IEnumerable<string> names) =>
        names.Any(name => name.Contains("coder.mid_block.", StringComparison.Ordinal));

    /// <summary>The name in single files; null for a tensor that these do not have.</summary>
    /// <param name="name">The name of diffusers.</param>
    public string? Translate(string name)
    {
        if (name.StartsWith("quant_conv.", StringComparison.Ordinal) || name.StartsWith("post_quant_conv.", StringComparison.Ordinal))
            return name;
        int first = name.IndexOf('.', StringComparison.Ordinal), last = name.LastIndexOf('.');
        if (first <= 0 || first == last || name[..first] is not ("decoder" or "encoder")) return null;
        string? layer = Layer(name[(first + 1)..last]);
        return layer is null ? null : $"{name[..first]}.{layer}{name[last..]}";
    }

    private string? Layer(string layer)
    {
        if (layer is "conv_in" or "conv_out") return layer;
        if (layer == "conv_norm_out") return "norm_out";
        if (Resampling().Match(layer) is { Success: true } resampling) return resampling.Groups[1].Value == "down"
            ? Invariant($"down.{Number(resampling, 2)}.downsample.conv")
            : Invariant($"up.{_levels - 1 - Number(resampling, 2)}.upsample.conv");
        if (Middle().Match(layer) is { Success: true } middle)
            return Invariant($"mid.block_{Number(middle, 1) + 1}.{ResBlockLayer(middle.Groups[2].Value)}");
        if (Block().Match(layer) is { Success: true } block)
        {
            bool isDown = block.Groups[1].Value == "down";
            int level = isDown ? Number(block, 2) : _levels - 1 - Number(block, 2);
            return Invariant($"{(isDown ? "down" : "up")}.{level}.block.{Number(block, 3)}.{ResBlockLayer(block.Groups[4].Value)}");
        }

        const string attention = "mid_block.attentions.0.";
        bool isAttention = layer.StartsWith(attention, StringComparison.Ordinal);
        return isAttention && AttentionLayers.TryGetValue(layer[attention.Length..], out string? name) ? $"mid.attn_1.{name}" : null;
    }

    private static string ResBlockLayer(string layer) => layer == "conv_shortcut" ? "nin_shortcut" : layer;

    private static int Number(Match match, int group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^decoder\.up_blocks\.(\d{1,2})\.", RegexOptions.NonBacktracking)]
    private static partial Regex Level();

    [GeneratedRegex(@"^(down|up)_blocks\.(\d{1,2})\.(?:down|up)samplers\.0\.conv$", RegexOptions.NonBacktracking)]
    private static partial Regex Resampling();

    [GeneratedRegex(@"^mid_block\.resnets\.([01])\.(norm1|conv1|norm2|conv2|conv_shortcut)$", RegexOptions.NonBacktracking)]
    private static partial Regex Middle();

    [GeneratedRegex(@"^(down|up)_blocks\.(\d{1,2})\.resnets\.(\d{1,2})\.(norm1|conv1|norm2|conv2|conv_shortcut)$",
        RegexOptions.NonBacktracking)]
    private static partial Regex Block();
}
