using System.Text.Json;
using static System.FormattableString;

namespace MuseAtelier.Tests.Support;

/// <summary>
/// Writes the Miniature's tensors as a model in several files: with the names and in the layout of diffusers, or each part by itself. The
/// names are made from those of single files by SDXL's fixed numbers of blocks, and not by the engine's own tables.
/// </summary>
internal static class SplitModel
{
    private const string UNet = "model.diffusion_model.";
    private const string ClipL = "conditioner.embedders.0.transformer.";
    private const string ClipG = "conditioner.embedders.1.model.";
    private const string Vae = "first_stage_model.";

    /// <summary>The parts of the Miniature with diffusers' names, by the folder of each.</summary>
    public static IReadOnlyDictionary<string, RawCheckpoint> Parts()
    {
        RawCheckpoint whole = RawCheckpoint.Miniature();
        var parts = new Dictionary<string, RawCheckpoint>
        {
            ["unet"] = Part(whole, UNet, UNetName),
            ["text_encoder"] = Part(whole, ClipL, name => name),
            ["text_encoder_2"] = TransformersClipG(whole),
            ["vae"] = Part(whole, Vae, VaeName),
        };
        // Newer versions of diffusers store the attention as matrices.
        foreach ((string name, RawCheckpoint.Tensor tensor) in parts["vae"].Tensors.ToArray())
            if (name.Contains(".attentions.", StringComparison.Ordinal) && tensor.Shape.Length == 4)
                parts["vae"].Reshape(name, tensor.Shape[0], tensor.Shape[1]);
        return parts;
    }

    /// <summary>The file name of a part in diffusers' layout.</summary>
    public static string FileOf(string part) =>
        $"{part}/{(part.StartsWith("text", StringComparison.Ordinal) ? "model" : "diffusion_pytorch_model")}.safetensors";

    /// <summary>Writes the Miniature as a folder in diffusers' layout.</summary>
    public static string WriteDiffusers(string folder, string variant = "")
    {
        WriteDescriptions(folder);
        foreach ((string part, RawCheckpoint tensors) in Parts())
        {
            Directory.CreateDirectory(Path.Combine(folder, part));
            tensors.Write(Path.Combine(folder, FileOf(part).Replace(".safetensors", $"{variant}.safetensors", StringComparison.Ordinal)));
        }

        return folder;
    }

    /// <summary>Writes the files of a folder in diffusers' layout that hold no tensors.</summary>
    public static void WriteDescriptions(string folder, string scheduler = """{"_class_name": "EulerDiscreteScheduler"}""")
    {
        Directory.CreateDirectory(Path.Combine(folder, "scheduler"));
        File.WriteAllText(Path.Combine(folder, "model_index.json"), """{"_class_name": "StableDiffusionXLPipeline"}""");
        File.WriteAllText(Path.Combine(folder, "scheduler", "scheduler_config.json"), scheduler);
    }

    /// <summary>Writes a part in several files with an index, as diffusers does above 10 GB.</summary>
    public static void WriteShards(string folder, string part, RawCheckpoint tensors, int count)
    {
        Directory.CreateDirectory(Path.Combine(folder, part));
        var map = new Dictionary<string, string>();
        string[] names = [.. tensors.Tensors.Keys];
        for (int i = 0; i < count; i++)
        {
            var shard = new RawCheckpoint();
            string file = Invariant($"diffusion_pytorch_model-{i + 1:00000}-of-{count:00000}.safetensors");
            // The blocks of a level are spread over all files.
            foreach (string name in names.Where((_, index) => index % count == i))
            {
                shard.Tensors[name] = tensors.Tensors[name];
                map[name] = file;
            }

            shard.Write(Path.Combine(folder, part, file));
        }

        WriteIndex(folder, part, map);
    }

    /// <summary>Writes the index of a part in several files.</summary>
    public static void WriteIndex(string folder, string part, IReadOnlyDictionary<string, string> map) => File.WriteAllText(
        Path.Combine(folder, part, "diffusion_pytorch_model.safetensors.index.json"),
        JsonSerializer.Serialize(new Dictionary<string, object> { ["metadata"] = new { total_size = 1 }, ["weight_map"] = map }));

    private static RawCheckpoint Part(RawCheckpoint whole, string prefix, Func<string, string> newName)
    {
        var part = new RawCheckpoint();
        part.Metadata["format"] = "pt";
        foreach ((string name, RawCheckpoint.Tensor tensor) in whole.Tensors)
            if (name.StartsWith(prefix, StringComparison.Ordinal)) part.Tensors[newName(name[prefix.Length..])] = tensor;
        return part;
    }

    private static string UNetName(string name)
    {
        string[] parts = name.Split('.');
        int number = parts.Length > 1 && int.TryParse(parts[1], out int block) ? block : -1;
        string rest = string.Join('.', parts.Skip(3));
        return (parts[0], parts.ElementAtOrDefault(2)) switch
        {
            ("time_embed", _) => $"time_embedding.linear_{(number == 0 ? 1 : 2)}.{parts[2]}",
            ("label_emb", _) => $"add_embedding.linear_{(parts[2] == "0" ? 1 : 2)}.{rest}",
            ("out", _) => $"{(number == 0 ? "conv_norm_out" : "conv_out")}.{parts[2]}",
            ("input_blocks", _) when number == 0 => $"conv_in.{rest}",
            ("input_blocks", _) when parts[3] == "op" => $"down_blocks.{(number - 1) / 3}.downsamplers.0.conv.{parts[4]}",
            ("input_blocks", "0") => $"down_blocks.{(number - 1) / 3}.resnets.{(number - 1) % 3}.{ResBlock(rest)}",
            ("input_blocks", _) => $"down_blocks.{(number - 1) / 3}.attentions.{(number - 1) % 3}.{rest}",
            ("middle_block", _) when number == 1 => $"mid_block.attentions.0.{string.Join('.', parts.Skip(2))}",
            ("middle_block", _) => $"mid_block.resnets.{number / 2}.{ResBlock(string.Join('.', parts.Skip(2)))}",
            ("output_blocks", _) when parts[3] == "conv" => $"up_blocks.{number / 3}.upsamplers.0.conv.{parts[4]}",
            ("output_blocks", "0") => $"up_blocks.{number / 3}.resnets.{number % 3}.{ResBlock(rest)}",
            _ => $"up_blocks.{number / 3}.attentions.{number % 3}.{rest}",
        };
    }

    private static string ResBlock(string layer) => layer
        .Replace("in_layers.0", "norm1", StringComparison.Ordinal)
        .Replace("in_layers.2", "conv1", StringComparison.Ordinal)
        .Replace("emb_layers.1", "time_emb_proj", StringComparison.Ordinal)
        .Replace("out_layers.0", "norm2", StringComparison.Ordinal)
        .Replace("out_layers.3", "conv2", StringComparison.Ordinal)
        .Replace("skip_connection", "conv_shortcut", StringComparison.Ordinal);

    /// <summary>The name that diffusers gives to a tensor of the VAE.</summary>
    /// <param name="name">The name in single files, without the prefix.</param>
    public static string VaeName(string name)
    {
        string changed = name
            .Replace("nin_shortcut", "conv_shortcut", StringComparison.Ordinal)
            .Replace("norm_out", "conv_norm_out", StringComparison.Ordinal)
            .Replace("mid.block_1", "mid_block.resnets.0", StringComparison.Ordinal)
            .Replace("mid.block_2", "mid_block.resnets.1", StringComparison.Ordinal)
            .Replace("mid.attn_1.norm.", "mid_block.attentions.0.group_norm.", StringComparison.Ordinal)
            .Replace("mid.attn_1.proj_out.", "mid_block.attentions.0.to_out.0.", StringComparison.Ordinal)
            .Replace("mid.attn_1.", "mid_block.attentions.0.to_", StringComparison.Ordinal);
        for (int level = 0; level < 4; level++)
        {
            changed = changed
                .Replace($"encoder.down.{level}.block.", $"encoder.down_blocks.{level}.resnets.", StringComparison.Ordinal)
                .Replace($"encoder.down.{level}.downsample.", $"encoder.down_blocks.{level}.downsamplers.0.", StringComparison.Ordinal)
                .Replace($"decoder.up.{level}.block.", $"decoder.up_blocks.{3 - level}.resnets.", StringComparison.Ordinal)
                .Replace($"decoder.up.{level}.upsample.", $"decoder.up_blocks.{3 - level}.upsamplers.0.", StringComparison.Ordinal);
        }

        return changed;
    }

    // Splits the stacked q, k and v, and turns the projection.
    private static RawCheckpoint TransformersClipG(RawCheckpoint whole)
    {
        var part = new RawCheckpoint();
        part.Metadata["format"] = "pt";
        foreach ((string name, RawCheckpoint.Tensor tensor) in Part(whole, ClipG, name => name).Tensors)
        {
            string changed = name
                .Replace("transformer.resblocks.", "text_model.encoder.layers.", StringComparison.Ordinal)
                .Replace("ln_1", "layer_norm1", StringComparison.Ordinal)
                .Replace("ln_2", "layer_norm2", StringComparison.Ordinal)
                .Replace("attn.out_proj", "self_attn.out_proj", StringComparison.Ordinal)
                .Replace("mlp.c_fc", "mlp.fc1", StringComparison.Ordinal)
                .Replace("mlp.c_proj", "mlp.fc2", StringComparison.Ordinal)
                .Replace("ln_final", "text_model.final_layer_norm", StringComparison.Ordinal);
            if (name.Contains("attn.in_proj_", StringComparison.Ordinal)) Unstack(part, changed, tensor);
            else if (name == "text_projection") part.Tensors["text_projection.weight"] = Turned(tensor);
            else if (name == "token_embedding.weight") part.Tensors["text_model.embeddings.token_embedding.weight"] = tensor;
            else if (name == "positional_embedding") part.Tensors["text_model.embeddings.position_embedding.weight"] = tensor;
            else if (name != "logit_scale") part.Tensors[changed] = tensor;
        }

        return part;
    }

    private static void Unstack(RawCheckpoint part, string name, RawCheckpoint.Tensor tensor)
    {
        int third = tensor.Bytes.Length / 3;
        for (int index = 0; index < 3; index++)
        {
            string changed = name.Replace("attn.in_proj_", $"self_attn.{"qkv"[index]}_proj.", StringComparison.Ordinal);
            part.Tensors[changed] = new RawCheckpoint.Tensor(
                tensor.Type, [tensor.Shape[0] / 3, .. tensor.Shape.Skip(1)], tensor.Bytes[(index * third)..((index + 1) * third)]);
        }
    }

    private static RawCheckpoint.Tensor Turned(RawCheckpoint.Tensor tensor)
    {
        int rows = (int)tensor.Shape[0], columns = (int)tensor.Shape[1], size = tensor.Bytes.Length / (rows * columns);
        byte[] turned = new byte[tensor.Bytes.Length];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
                tensor.Bytes.AsSpan((row * columns + column) * size, size).CopyTo(turned.AsSpan((column * rows + row) * size));
        }

        return tensor with { Shape = [columns, rows], Bytes = turned };
    }
}
