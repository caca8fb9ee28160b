using static System.FormattableString;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// The names that diffusers gives to the layers of a UNet, from the names of the single-file checkpoint. The structure follows from the
/// names themselves. (diffusers, loaders/single_file_utils.py, convert_ldm_unet_checkpoint; ComfyUI, comfy/utils.py, unet_to_diffusers.)
/// </summary>
internal sealed class UNetNames
{
    private static readonly (string Own, string Diffusers)[] ResBlockLayers =
    [
        ("in_layers.0", "norm1"),
        ("in_layers.2", "conv1"),
        ("emb_layers.1", "time_emb_proj"),
        ("out_layers.0", "norm2"),
        ("out_layers.3", "conv2"),
        ("skip_connection", "conv_shortcut"),
    ];

    private static readonly (string Own, string Diffusers)[] SingleLayers =
    [
        ("input_blocks.0.0", "conv_in"),
        ("time_embed.0", "time_embedding.linear_1"),
        ("time_embed.2", "time_embedding.linear_2"),
        ("label_emb.0.0", "add_embedding.linear_1"),
        ("label_emb.0.2", "add_embedding.linear_2"),
        ("out.0", "conv_norm_out"),
        ("out.2", "conv_out"),
    ];

    private readonly Dictionary<string, string> _layers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _transformers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _blocks = new(StringComparer.Ordinal);

    /// <summary>Derives the names.</summary>
    /// <param name="layers">The layers' names in the checkpoint, without the UNet's prefix.</param>
    public UNetNames(IEnumerable<string> layers)
    {
        foreach ((string own, string diffusers) in SingleLayers) _layers[own] = diffusers;
        foreach (string layer in layers)
        {
            // The parts of a block: input_blocks.4.1 of input_blocks.4.1.proj_in, and middle_block.1 of middle_block.1.proj_in.
            string[] parts = layer.Split('.');
            for (int length = 2; length <= Math.Min(parts.Length, 4); length++) _blocks.Add(string.Join('.', parts[..length]));
        }

        AddDown();
        AddMiddle();
        AddUp();
    }

    /// <summary>The name of a layer in diffusers; null where it has none.</summary>
    public string? Find(string layer)
    {
        if (_layers.TryGetValue(layer, out string? name)) return name;
        foreach ((string own, string diffusers) in _transformers)
        {
            if (layer.StartsWith(own, StringComparison.Ordinal)) return diffusers + layer[own.Length..];
        }

        return null;
    }

    private void AddDown()
    {
        for (int block = 1, level = 0, index = 0; _blocks.Contains(Invariant($"input_blocks.{block}")); block++)
        {
            string own = Invariant($"input_blocks.{block}");
            if (IsLayer($"{own}.0.op"))
            {
                _layers[$"{own}.0.op"] = Invariant($"down_blocks.{level}.downsamplers.0.conv");
                (level, index) = (level + 1, 0);
                continue;
            }

            AddResBlock($"{own}.0", Invariant($"down_blocks.{level}.resnets.{index}"));
            if (IsTransformer($"{own}.1")) AddTransformer($"{own}.1", Invariant($"down_blocks.{level}.attentions.{index}"));
            index++;
        }
    }

    private void AddMiddle()
    {
        for (int part = 0, resBlocks = 0, transformers = 0; _blocks.Contains(Invariant($"middle_block.{part}")); part++)
        {
            string own = Invariant($"middle_block.{part}");
            if (IsTransformer(own)) AddTransformer(own, Invariant($"mid_block.attentions.{transformers++}"));
            else AddResBlock(own, Invariant($"mid_block.resnets.{resBlocks++}"));
        }
    }

    private void AddUp()
    {
        for (int block = 0, level = 0, index = 0; _blocks.Contains(Invariant($"output_blocks.{block}")); block++)
        {
            string own = Invariant($"output_blocks.{block}");
            AddResBlock($"{own}.0", Invariant($"up_blocks.{level}.resnets.{index}"));
            int next = 1;
            if (IsTransformer($"{own}.1"))
            {
                AddTransformer($"{own}.1", Invariant($"up_blocks.{level}.attentions.{index}"));
                next++;
            }

            index++;
            string upsampler = Invariant($"{own}.{next}.conv");
            if (!IsLayer(upsampler)) continue;
            _layers[upsampler] = Invariant($"up_blocks.{level}.upsamplers.0.conv");
            (level, index) = (level + 1, 0);
        }
    }

    private void AddResBlock(string own, string diffusers)
    {
        foreach ((string layer, string name) in ResBlockLayers) _layers[$"{own}.{layer}"] = $"{diffusers}.{name}";
    }

    private void AddTransformer(string own, string diffusers) => _transformers[own + "."] = diffusers + ".";

    private bool IsTransformer(string block) => _blocks.Contains($"{block}.transformer_blocks") || IsLayer($"{block}.proj_in");

    private bool IsLayer(string name) => _blocks.Contains(name);
}
