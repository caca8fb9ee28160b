using System.Text.Json.Nodes;
using MuseAtelier.Export.Loras;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Loras;

/// <summary>Every spelling of layers' names, against the tensors of SDXL at full size.</summary>
public sealed class LoraNamesTests
{
    private const string Unet = LoraModel.UNet, L = LoraModel.ClipL, G = LoraModel.ClipG;

    private static readonly Lazy<LoraNames> FullSize = new(() => new LoraNames(ModelTensors.Of(Sdxl())));

    [Theory]
    // kohya, with the names of the checkpoint and of diffusers
    [InlineData("lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q",
        Unet + "input_blocks.4.1.transformer_blocks.0.attn1.to_q.weight")]
    [InlineData("lora_unet_middle_block_1_proj_in", Unet + "middle_block.1.proj_in.weight")]
    [InlineData("lora_unet_output_blocks_2_2_conv", Unet + "output_blocks.2.2.conv.weight")]
    [InlineData("lora_unet_input_blocks_3_0_op", Unet + "input_blocks.3.0.op.weight")]
    [InlineData("lora_unet_time_embed_0", Unet + "time_embed.0.weight")]
    [InlineData("lora_unet_label_emb_0_2", Unet + "label_emb.0.2.weight")]
    [InlineData("lora_unet_down_blocks_1_attentions_1_transformer_blocks_1_ff_net_0_proj",
        Unet + "input_blocks.5.1.transformer_blocks.1.ff.net.0.proj.weight")]
    [InlineData("lora_unet_mid_block_attentions_0_transformer_blocks_9_attn2_to_out_0",
        Unet + "middle_block.1.transformer_blocks.9.attn2.to_out.0.weight")]
    [InlineData("lora_unet_up_blocks_1_attentions_2_proj_out", Unet + "output_blocks.5.1.proj_out.weight")]
    [InlineData("lora_unet_down_blocks_0_resnets_1_conv1", Unet + "input_blocks.2.0.in_layers.2.weight")]
    [InlineData("lora_unet_down_blocks_1_resnets_0_conv_shortcut", Unet + "input_blocks.4.0.skip_connection.weight")]
    [InlineData("lora_unet_mid_block_resnets_1_time_emb_proj", Unet + "middle_block.2.emb_layers.1.weight")]
    [InlineData("lora_unet_up_blocks_2_resnets_2_conv2", Unet + "output_blocks.8.0.out_layers.3.weight")]
    [InlineData("lora_unet_up_blocks_2_resnets_0_norm1", Unet + "output_blocks.6.0.in_layers.0.weight")]
    [InlineData("lora_unet_down_blocks_1_downsamplers_0_conv", Unet + "input_blocks.6.0.op.weight")]
    [InlineData("lora_unet_up_blocks_0_upsamplers_0_conv", Unet + "output_blocks.2.2.conv.weight")]
    [InlineData("lora_unet_up_blocks_1_upsamplers_0_conv", Unet + "output_blocks.5.2.conv.weight")]
    [InlineData("lora_unet_conv_in", Unet + "input_blocks.0.0.weight")]
    [InlineData("lora_unet_conv_out", Unet + "out.2.weight")]
    [InlineData("lora_unet_time_embedding_linear_2", Unet + "time_embed.2.weight")]
    [InlineData("lora_unet_add_embedding_linear_1", Unet + "label_emb.0.0.weight")]
    // diffusers and PEFT, SimpleTuner, ComfyUI
    [InlineData("unet.down_blocks.2.attentions.0.transformer_blocks.3.attn1.to_k",
        Unet + "input_blocks.7.1.transformer_blocks.3.attn1.to_k.weight")]
    [InlineData("down_blocks.2.attentions.0.norm", Unet + "input_blocks.7.1.norm.weight")]
    [InlineData("unet.up_blocks.0.attentions.1.transformer_blocks.0.attn2.processor.to_v",
        Unet + "output_blocks.1.1.transformer_blocks.0.attn2.to_v.weight")]
    [InlineData("unet.up_blocks.0.attentions.1.transformer_blocks.0.attn2.processor.to_out",
        Unet + "output_blocks.1.1.transformer_blocks.0.attn2.to_out.0.weight")]
    [InlineData("base_model.model.up_blocks.0.attentions.1.proj_in", Unet + "output_blocks.1.1.proj_in.weight")]
    [InlineData("lycoris_down_blocks_2_attentions_1_proj_in", Unet + "input_blocks.8.1.proj_in.weight")]
    [InlineData("diffusion_model.output_blocks.0.1.proj_in", Unet + "output_blocks.0.1.proj_in.weight")]
    [InlineData("model.diffusion_model.output_blocks.0.1.proj_in", Unet + "output_blocks.0.1.proj_in.weight")]
    [InlineData("diffusion_model.output_blocks.0.1.proj_in.bias", Unet + "output_blocks.0.1.proj_in.bias")]
    // text encoders
    [InlineData("lora_te1_text_model_encoder_layers_10_mlp_fc1", L + "encoder.layers.10.mlp.fc1.weight")]
    [InlineData("lora_te_text_model_encoder_layers_0_self_attn_out_proj", L + "encoder.layers.0.self_attn.out_proj.weight")]
    [InlineData("text_encoder.text_model.encoder.layers.3.self_attn.q_proj", L + "encoder.layers.3.self_attn.q_proj.weight")]
    [InlineData("text_encoder.text_model.encoder.layers.3.self_attn.to_out", L + "encoder.layers.3.self_attn.out_proj.weight")]
    [InlineData("text_encoders.clip_l.transformer.text_model.encoder.layers.3.mlp.fc2", L + "encoder.layers.3.mlp.fc2.weight")]
    [InlineData("lora_te2_text_model_encoder_layers_31_mlp_fc1", G + "transformer.resblocks.31.mlp.c_fc.weight")]
    [InlineData("lora_te2_text_model_encoder_layers_31_mlp_fc2", G + "transformer.resblocks.31.mlp.c_proj.weight")]
    [InlineData("text_encoder_2.text_model.encoder.layers.0.self_attn.out_proj", G + "transformer.resblocks.0.attn.out_proj.weight")]
    [InlineData("lora_te2_text_model_encoder_layers_0_layer_norm2", G + "transformer.resblocks.0.ln_2.weight")]
    [InlineData("lora_te2_text_model_final_layer_norm", G + "ln_final.weight")]
    [InlineData("lora_te2_text_projection", G + "text_projection")]
    public void EachSpellingIsFound(string name, string key) => Assert.Equal(key, FullSize.Value.Find(name)?.Weight?.Key);

    [Theory]
    [InlineData("x.lora_up.weight", "x", LoraRole.Up)]
    [InlineData("x.to_q_lora.down.weight", "x.to_q", LoraRole.Down)]
    [InlineData("x.lora.up.weight", "x", LoraRole.Up)]
    [InlineData("x.lora_linear_layer.down.weight", "x", LoraRole.Down)]
    [InlineData("x.lora_A.weight", "x", LoraRole.Down)]
    [InlineData("x.lora_B.default.weight", "x", LoraRole.Up)]
    [InlineData("x.lora_B", "x", LoraRole.Up)]
    [InlineData("x.lora_B.bias", "x", LoraRole.UpBias)]
    [InlineData("x.lokr_w2_a", "x", LoraRole.LokrW2A)]
    [InlineData("x.w_norm", "x", LoraRole.Difference)]
    [InlineData("x.b_norm", "x", LoraRole.BiasDifference)]
    [InlineData("x.bias.diff", "x.bias", LoraRole.Difference)]
    [InlineData("x.lora_magnitude_vector.weight", "x", LoraRole.MagnitudeVector)]
    internal void TheEndOfANameIsARole(string name, string module, LoraRole role)
    {
        Assert.True(LoraRoles.TryDivide(name, out string foundModule, out LoraRole foundRole));
        Assert.Equal((module, role), (foundModule, foundRole));
    }

    [Theory]
    [InlineData("q", 0)]
    [InlineData("k", 1280)]
    [InlineData("v", 2560)]
    public void StackedProjectionsAreRows(string part, long firstRow)
    {
        LoraLayer? layer = FullSize.Value.Find($"lora_te2_text_model_encoder_layers_5_self_attn_{part}_proj");
        string key = G + "transformer.resblocks.5.attn.in_proj_";
        Assert.Equal((key + "weight", firstRow, 1280L), (layer!.Weight!.Key, layer.Weight.FirstRow, layer.Weight.Rows));
        Assert.Equal((key + "bias", firstRow, 1280L), (layer.Bias!.Key, layer.Bias.FirstRow, layer.Bias.Rows));
    }

    // SDXL takes the states of CLIP-L's penultimate layer, so packages hold nothing of the last one.
    [Theory]
    [InlineData("lora_te1_text_model_encoder_layers_11_mlp_fc1")]
    [InlineData("lora_te_text_model_encoder_layers_11_self_attn_q_proj")]
    [InlineData("text_encoder.text_model.encoder.layers.11.self_attn.to_out")]
    [InlineData("text_encoders.clip_l.transformer.text_model.encoder.layers.11.layer_norm2")]
    [InlineData(L + "encoder.layers.11.mlp.fc2")]
    [InlineData("lora_te1_text_model_final_layer_norm")]
    public void TheLastLayerOfClipLIsKnownAndUnread(string name) => Assert.True(FullSize.Value.Find(name)?.IsUnread);

    [Theory]
    [InlineData("lora_te1_text_model_encoder_layers_12_mlp_fc1")]
    [InlineData("lora_te1_text_model_encoder_layers_11_mlp_fc3")]
    [InlineData("lora_unet_input_blocks_4_1_transformer_blocks_99_attn1_to_q")]
    [InlineData("lora_unet_input_blocks.4.1.proj_in")]
    [InlineData("lora_te3_encoder_block_0")]
    [InlineData("first_stage_model.decoder.conv_in")]
    public void OtherNamesAreNot(string name) => Assert.Null(FullSize.Value.Find(name));

    [Fact]
    public void EveryLayerOfTheUNetHasANameInDiffusers()
    {
        PackageManifest manifest = Sdxl();
        string[] layers = [.. ModelTensors.Of(manifest).UNet.Keys.Where(key => key.EndsWith(".weight", StringComparison.Ordinal))
            .Select(key => key[Unet.Length..^".weight".Length])];
        var names = new UNetNames(layers);
        string?[] found = [.. layers.Select(names.Find)];
        Assert.All(found, Assert.NotNull);
        Assert.Equal(layers.Length, found.Distinct().Count());
    }

    // CLIP-G's tensors may have the names of transformers, in which q, k and v are separate.
    [Fact]
    public void ClipGWithTransformersNamesIsFound()
    {
        const string Prefix = "conditioner.embedders.1.transformer.";
        using var model = new LoraModel();
        model.Add(ComponentNames.ClipG, Prefix + "text_model.embeddings.token_embedding.weight", [8, 4]);
        WeightSpec query = model.Add(ComponentNames.ClipG, Prefix + "text_model.encoder.layers.0.self_attn.q_proj.weight", [4, 4]);
        WeightSpec projection = model.Add(ComponentNames.ClipG, Prefix + "text_projection.weight", [4, 6], WeightLayout.Transposed);
        LoraFile file = model.File(
            model.Tensor("lora_te2_text_model_encoder_layers_0_self_attn_q_proj.lora_up.weight", 4, 1),
            model.Tensor("lora_te2_text_model_encoder_layers_0_self_attn_q_proj.lora_down.weight", 1, 4),
            model.Tensor("lora_te2_text_projection.lora_up.weight", 6, 1),
            model.Tensor("lora_te2_text_projection.lora_down.weight", 1, 4));
        LoraSet set = model.Set(new LoraUse(file, 0, 1));
        Assert.True(set.Touches(query));
        Assert.True(set.Touches(projection));
        Assert.Empty(set.Notices);
    }

    // As an export of SDXL has them.
    private static PackageManifest Sdxl()
    {
        string path = Path.Combine(TemporaryFolder.Repository, "tests", "goldens", "sdxl_keys.json");
        using var model = new LoraModel();
        foreach ((string name, JsonNode? shape) in JsonNode.Parse(File.ReadAllText(path))!.AsObject())
        {
            string? component = name.StartsWith(Unet, StringComparison.Ordinal) ? ComponentNames.UNet
                : name.StartsWith(L, StringComparison.Ordinal) ? ComponentNames.ClipL
                : name.StartsWith(G, StringComparison.Ordinal) ? ComponentNames.ClipG : null;
            long[] sizes = [.. shape!.AsArray().Select(size => size!.GetValue<long>())];
            bool isUnread = name.StartsWith(L + "encoder.layers.11.", StringComparison.Ordinal)
                || name.StartsWith(L + "final_layer_norm", StringComparison.Ordinal);
            if (component is not null && sizes.Length > 0 && !isUnread) model.Add(component, name, sizes);
        }

        return model.Manifest();
    }
}
