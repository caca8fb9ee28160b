using MuseAtelier.Tests.Support;

namespace MuseAtelier.Storms.Fuzzing;

/// <summary>Small LoRAs of all families for layers of the Miniature, with random numbers.</summary>
internal static class LoraSamples
{
    private const string Linear = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q";
    private const string Kernel = "lora_unet_input_blocks_4_0_in_layers_2";
    private const string Text = "lora_te1_text_model_encoder_layers_0_mlp_fc1";
    private const string Stacked = "lora_te2_text_model_encoder_layers_0_self_attn_q_proj";
    private const string Peft = "unet.down_blocks.1.attentions.0.proj_in";
    private const string Bias = "diffusion_model.input_blocks.4.1.proj_in";
    private const int Rank = 4;

    /// <summary>Names that a tensor of a damaged file may get: another family's, another layer's or another model's.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. new[]
        {
            "lora_up.weight", "lora_down.weight", "lora_mid.weight", "alpha", "dora_scale", "lora_magnitude_vector", "hada_w1_a",
            "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2", "lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a",
            "lokr_w2_b", "lokr_t2", "a1.weight", "a2.weight", "b1.weight", "b2.weight", "diff", "diff_b", "w_norm", "b_norm",
            "set_weight", "scalar", "lora_A.weight", "lora_B.weight", "lora_B.bias", "lora_up.bias",
        }.SelectMany(end => new[] { $"{Linear}.{end}", $"{Kernel}.{end}", $"{Stacked}.{end}", $"{Bias}.{end}" }),
        $"{Linear}.oft_blocks",
        "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k.lora_down.weight",
        "lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight",
        "lora_unet_input_blocks_999999999999_1_proj_in.lora_up.weight",
        "diffusion_model.input_blocks.4.1.norm.set_weight",
        "diffusion_model.input_blocks.4.0.skip_connection.bias.set_weight",
    ];

    /// <summary>A file of each family, and one of all.</summary>
    public static IEnumerable<RawCheckpoint> All()
    {
        RawCheckpoint[] families = [Lora(), Locon(), Loha(), Lokr(), Glora(), Dora(), Full()];
        var whole = new RawCheckpoint();
        foreach ((string name, RawCheckpoint.Tensor tensor) in families.SelectMany(family => family.Tensors)) whole.Tensors[name] = tensor;
        foreach ((string name, string text) in Metadata()) whole.Metadata[name] = text;
        return [whole, .. families];
    }

    private static Dictionary<string, string> Metadata() => new()
    {
        ["ss_output_name"] = "sample",
        ["ss_tag_frequency"] = """{"a": {"x": 3, "y": 4}, "b": {"x": 1}}""",
        ["ss_base_model_version"] = "sdxl_base_v1-0",
        ["modelspec.trigger_phrase"] = "in the style of nobody",
        ["sshs_model_hash"] = new string('a', 64),
    };

    private static RawCheckpoint Lora() => new Tensors()
        .Add($"{Linear}.lora_up.weight", 128, Rank).Add($"{Linear}.lora_down.weight", Rank, 128).Add($"{Linear}.alpha")
        .Add($"{Text}.lora_up.weight", 256, Rank).Add($"{Text}.lora_down.weight", Rank, 64)
        .Add($"{Stacked}.lora_up.weight", 64, Rank).Add($"{Stacked}.lora_down.weight", Rank, 64).Add($"{Stacked}.scalar")
        .Add($"{Peft}.lora_B.weight", 128, Rank).Add($"{Peft}.lora_A.weight", Rank, 128).Add($"{Peft}.lora_B.bias", 128).File;

    private static RawCheckpoint Locon() => new Tensors()
        .Add($"{Kernel}.lora_up.weight", 128, Rank, 1, 1).Add($"{Kernel}.lora_down.weight", Rank, 64, 1, 1)
        .Add($"{Kernel}.lora_mid.weight", Rank, Rank, 3, 3).Add($"{Kernel}.alpha")
        .Add("lora_unet_input_blocks_1_0_out_layers_3.lora_up.weight", 64, Rank, 1, 1)
        .Add("lora_unet_input_blocks_1_0_out_layers_3.lora_down.weight", Rank, 64, 3, 3).File;

    private static RawCheckpoint Loha() => new Tensors()
        .Add("lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_v.hada_w1_a", 128, Rank)
        .Add("lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_v.hada_w1_b", Rank, 128)
        .Add("lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_v.hada_w2_a", 128, Rank)
        .Add("lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_v.hada_w2_b", Rank, 128)
        .Add("lora_unet_input_blocks_4_0_out_layers_3.hada_w1_a", Rank, 128)
        .Add("lora_unet_input_blocks_4_0_out_layers_3.hada_w1_b", Rank, 128)
        .Add("lora_unet_input_blocks_4_0_out_layers_3.hada_w2_a", Rank, 128)
        .Add("lora_unet_input_blocks_4_0_out_layers_3.hada_w2_b", Rank, 128)
        .Add("lora_unet_input_blocks_4_0_out_layers_3.hada_t1", Rank, Rank, 3, 3)
        .Add("lora_unet_input_blocks_4_0_out_layers_3.hada_t2", Rank, Rank, 3, 3).File;

    private static RawCheckpoint Lokr() => new Tensors()
        .Add("lora_unet_input_blocks_4_1_proj_out.lokr_w1", 4, 2).Add("lora_unet_input_blocks_4_1_proj_out.lokr_w2", 32, 64)
        .Add("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_q.lokr_w1_a", 4, 2)
        .Add("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_q.lokr_w1_b", 2, 4)
        .Add("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_q.lokr_w2_a", 32, Rank)
        .Add("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_q.lokr_w2_b", Rank, 32)
        .Add("lora_unet_input_blocks_5_0_in_layers_2.lokr_w1", 4, 4)
        .Add("lora_unet_input_blocks_5_0_in_layers_2.lokr_w2_a", Rank, 32).Add("lora_unet_input_blocks_5_0_in_layers_2.lokr_w2_b", Rank, 32)
        .Add("lora_unet_input_blocks_5_0_in_layers_2.lokr_t2", Rank, Rank, 3, 3).File;

    private static RawCheckpoint Glora() => new Tensors()
        .Add("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_v.a1.weight", 128, Rank)
        .Add("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_v.a2.weight", Rank, 128)
        .Add("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_v.b1.weight", 128, Rank)
        .Add("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_v.b2.weight", Rank, 128).File;

    private static RawCheckpoint Dora() => new Tensors()
        .Add("lora_te1_text_model_encoder_layers_1_mlp_fc1.lora_up.weight", 256, Rank)
        .Add("lora_te1_text_model_encoder_layers_1_mlp_fc1.lora_down.weight", Rank, 64)
        .Add("lora_te1_text_model_encoder_layers_1_mlp_fc1.dora_scale", 256, 1)
        .Add("lora_te1_text_model_encoder_layers_1_mlp_fc2.lora_up.weight", 64, Rank)
        .Add("lora_te1_text_model_encoder_layers_1_mlp_fc2.lora_down.weight", Rank, 256)
        .Add("lora_te1_text_model_encoder_layers_1_mlp_fc2.dora_scale", 1, 256)
        .Add("lora_te2_text_model_encoder_layers_1_self_attn_v_proj.lora_up.weight", 64, Rank)
        .Add("lora_te2_text_model_encoder_layers_1_self_attn_v_proj.lora_down.weight", Rank, 64)
        .Add("lora_te2_text_model_encoder_layers_1_self_attn_v_proj.dora_scale", 1, 64)
        .Add("unet.down_blocks.1.attentions.1.proj_in.lora_B.weight", 128, Rank)
        .Add("unet.down_blocks.1.attentions.1.proj_in.lora_A.weight", Rank, 128)
        .Add("unet.down_blocks.1.attentions.1.proj_in.lora_magnitude_vector", 128).File;

    private static RawCheckpoint Full() => new Tensors()
        .Add($"{Bias}.diff", 128, 128).Add($"{Bias}.diff_b", 128)
        .Add("diffusion_model.input_blocks.4.1.norm.w_norm", 128).Add("diffusion_model.input_blocks.4.1.norm.b_norm", 128)
        .Add("diffusion_model.input_blocks.5.1.proj_in.set_weight", 128, 128).File;

    // The numbers of a tensor follow from its name, so that all runs read the same files.
    private sealed class Tensors
    {
        public RawCheckpoint File { get; } = new();

        public Tensors Add(string name, params long[] shape)
        {
            var random = new Random(name.Aggregate(7, (hash, letter) => unchecked((31 * hash) + letter)));
            float[] values = new float[shape.Aggregate(1L, (product, size) => product * size)];
            for (int i = 0; i < values.Length; i++) values[i] = ((float)random.NextDouble() * 0.2f) - 0.1f;
            if (random.Next(3) == 0) File.SetSingles(name, values, shape);
            else File.SetHalves(name, values, shape);
            return this;
        }
    }
}
