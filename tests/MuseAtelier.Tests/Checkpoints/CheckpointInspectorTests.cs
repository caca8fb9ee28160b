using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Checkpoints;

public sealed class CheckpointInspectorTests : IDisposable
{
    private static readonly string[] Sdxl =
        ["conditioner.embedders.0.transformer.text_model.final_layer_norm.bias", "conditioner.embedders.1.model.ln_final.bias",
            "first_stage_model.decoder.conv_in.bias"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Detect_OfTheMiniature_IsSdxlBase()
    {
        using SafetensorsFile file = SafetensorsFile.Open(
            Path.Combine(TemporaryFolder.Repository, "models/miniature/miniature.safetensors"));
        CheckpointInspector.RequireSdxlBase(file);
        Assert.Equal(CheckpointKind.SdxlBase, CheckpointInspector.Detect(file));
    }

    [Theory]
    [InlineData(4, null, CheckpointKind.SdxlBase)]
    [InlineData(9, null, CheckpointKind.SdxlInpainting)]
    [InlineData(8, null, CheckpointKind.SdxlEditing)]
    [InlineData(4, "v_pred", CheckpointKind.SdxlVelocity)]
    [InlineData(4, "edm_mean", CheckpointKind.SdxlEdm)]
    [InlineData(4, "ztsnr", CheckpointKind.SdxlVelocity)]
    [InlineData(4, "edm_std", CheckpointKind.SdxlEdm)]
    [InlineData(4, "edm_vpred.sigma_max", CheckpointKind.SdxlEdm)]
    [InlineData(4, "denoiser.sigmas", CheckpointKind.SdxlBase)]
    public void Detect_OfSdxlsKin_TellsThemApart(int channels, string? mark, CheckpointKind expected)
    {
        string path = _folder.WriteTensors(
            [("model.diffusion_model.input_blocks.0.0.weight", [8, channels, 3, 3]),
                .. Sdxl.Append(mark).OfType<string>().Select(name => (name, new long[] { 1 }))]);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(expected, CheckpointInspector.Detect(file));
    }

    [Fact]
    public void Detect_OfMetadataThatStatesVelocity_BelievesIt()
    {
        string path = _folder.WriteTensors(
            Sdxl.Append("model.diffusion_model.out.2.weight").Select(name => (name, new long[] { 1 })),
            new Dictionary<string, string> { ["modelspec.prediction_type"] = "v" });
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(CheckpointKind.SdxlVelocity, CheckpointInspector.Detect(file));
    }

    [Theory]
    [InlineData("modelspec.predict_key", "v", CheckpointKind.SdxlVelocity)]
    [InlineData("modelspec.prediction_type", "V_Prediction", CheckpointKind.SdxlVelocity)]
    [InlineData("modelspec.prediction_type", "v-prediction", CheckpointKind.SdxlVelocity)]
    [InlineData("modelspec.prediction_type", "VELOCITY", CheckpointKind.SdxlVelocity)]
    [InlineData("ss_v_parameterization", "True", CheckpointKind.SdxlVelocity)]
    [InlineData("ss_v_parameterization", "False", CheckpointKind.SdxlBase)]
    [InlineData("ss_v_parameterization", "true", CheckpointKind.SdxlVelocity)]
    [InlineData("modelspec.prediction_type", "vPrediction", CheckpointKind.SdxlVelocity)]
    [InlineData("modelspec.predict_key", "epsilon", CheckpointKind.SdxlBase)]
    [InlineData("modelspec.prediction_type", "epsilon", CheckpointKind.SdxlBase)]
    public void Detect_OfMetadata_ReadsEveryMarkOfVelocity(string name, string value, CheckpointKind expected)
    {
        string path = _folder.WriteTensors(
            Sdxl.Append("model.diffusion_model.out.2.weight").Select(tensor => (tensor, new long[] { 1 })),
            new Dictionary<string, string> { [name] = value });
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(expected, CheckpointInspector.Detect(file));
        CheckpointInspector.RequireSdxlBase(file);
    }

    [Theory]
    [InlineData("modelspec.prediction_type", "EDM")]
    [InlineData("modelspec.predict_key", "edm_vpred")]
    public void RequireSdxlBase_OfMetadataThatStatesEdm_NamesTheMark(string name, string value)
    {
        string path = _folder.WriteTensors(
            Sdxl.Append("model.diffusion_model.out.2.weight").Select(tensor => (tensor, new long[] { 1 })),
            new Dictionary<string, string> { [name] = value });
        using SafetensorsFile file = SafetensorsFile.Open(path);
        CheckpointInspector.RequireSdxlBase(file);
        Assert.Equal(CheckpointKind.SdxlEdm, CheckpointInspector.Detect(file));
        Assert.Equal($"its metadata says {name}: {value}", CheckpointInspector.PredictionMarkOf(file));
    }

    [Theory]
    [InlineData(null, null, 0.002f, 120f)]
    [InlineData(50f, null, 0.002f, 50f)]
    [InlineData(50f, 0.01f, 0.01f, 50f)]
    [InlineData(null, 0.01f, 0.01f, 120f)]
    public void SigmasOf_OfTheTensorsOfEdmVelocity_AreTheirNumbers(float? most, float? least, float expectedLeast, float expectedMost)
    {
        using SafetensorsFile file = WithSigmas(most, least);
        Assert.Equal(new SigmaRange(expectedLeast, expectedMost), PredictionMarks.SigmasOf(file, PredictionType.VelocityEdm));
        Assert.Equal(PredictionType.VelocityEdm, PredictionMarks.Find(file)!.Type);
        Assert.Equal(new SigmaRange(0.002f, 80), PredictionMarks.SigmasOf(file, PredictionType.Edm));
        Assert.Null(PredictionMarks.SigmasOf(file, PredictionType.Velocity));
    }

    [Theory]
    [InlineData(0f, null)]
    [InlineData(-1f, null)]
    [InlineData(float.NaN, null)]
    [InlineData(float.PositiveInfinity, null)]
    [InlineData(1e7f, null)]
    [InlineData(1f, 2f)]
    [InlineData(null, 0f)]
    public void SigmasOf_OfImpossibleNumbers_Refuses(float? most, float? least)
    {
        using SafetensorsFile file = WithSigmas(most, least);
        var exception = Assert.Throws<SigmaRangeException>(() => PredictionMarks.SigmasOf(file, PredictionType.VelocityEdm));
        Assert.Equal(file.Path, exception.Path);
    }

    [Theory]
    [InlineData("v_pred")]
    [InlineData("ztsnr")]
    public void RequireSdxlBase_OfAnEmptyTensorThatMarksVelocity_Passes(string mark)
    {
        string path = _folder.WriteTensors(
            [.. Sdxl.Append("model.diffusion_model.out.2.weight").Select(tensor => (tensor, new long[] { 1 })), (mark, [0])]);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        CheckpointInspector.RequireSdxlBase(file);
        Assert.Equal(CheckpointKind.SdxlVelocity, CheckpointInspector.Detect(file));
    }

    [Fact]
    public void Detect_OfAMarkBehindLongMetadata_FindsIt()
    {
        Dictionary<string, string> metadata = Enumerable.Range(0, 12).ToDictionary(i => $"ss_tags_{i}", _ => new string('x', 900_000));
        metadata["ss_tag_frequency"] = new string('y', 3_000_000);
        metadata["modelspec.prediction_type"] = "v";
        string path = _folder.WriteTensors(
            Sdxl.Append("model.diffusion_model.out.2.weight").Select(tensor => (tensor, new long[] { 1 })), metadata);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(CheckpointKind.SdxlVelocity, CheckpointInspector.Detect(file));
        Assert.False(file.Metadata.ContainsKey("ss_tag_frequency"));
    }

    [Theory]
    [InlineData("model:\n  params:\n    parameterization: \"v\"\n", CheckpointKind.SdxlVelocity)]
    [InlineData("model: { params: { parameterization: v } }", CheckpointKind.SdxlVelocity)]
    [InlineData("prediction_type: v_prediction # really", CheckpointKind.SdxlVelocity)]
    [InlineData("scaling_config:\r\n  target: sgm.modules.diffusionmodules.denoiser_scaling.VScaling\r\n", CheckpointKind.SdxlVelocity)]
    [InlineData("model:\n  params:\n    # parameterization: \"v\"\n", CheckpointKind.SdxlBase)]
    [InlineData("parameterization: eps", CheckpointKind.SdxlBase)]
    [InlineData("target: sgm.modules.diffusionmodules.denoiser_scaling.EpsScaling", CheckpointKind.SdxlBase)]
    [InlineData("\u0000\u0001not yaml: [", CheckpointKind.SdxlBase)]
    public void Detect_OfAYamlFileBesideIt_ReadsTheMarkOfVelocity(string yaml, CheckpointKind expected)
    {
        string path = _folder.WriteTensors(Sdxl.Append("model.diffusion_model.out.2.weight").Select(tensor => (tensor, new long[] { 1 })));
        File.WriteAllText(Path.ChangeExtension(path, ".yaml"), yaml);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(expected, CheckpointInspector.Detect(file));
        CheckpointInspector.RequireSdxlBase(file);
        string? mark = CheckpointInspector.PredictionMarkOf(file);
        if (expected == CheckpointKind.SdxlBase) Assert.Null(mark);
        else Assert.StartsWith(Path.GetFileNameWithoutExtension(path) + ".yaml beside it says ", mark, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        CheckpointKind.StableDiffusion1, "model.diffusion_model.out.2.weight",
        "cond_stage_model.transformer.text_model.final_layer_norm.bias")]
    [InlineData(CheckpointKind.StableDiffusion2, "model.diffusion_model.out.2.weight", "cond_stage_model.model.ln_final.bias")]
    [InlineData(CheckpointKind.SdxlRefiner, "model.diffusion_model.out.2.weight", "conditioner.embedders.0.model.ln_final.bias")]
    [InlineData(
        CheckpointKind.StableDiffusion3, "model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight",
        "first_stage_model.decoder.conv_in.bias")]
    [InlineData(CheckpointKind.Flux, "double_blocks.0.img_attn.qkv.weight", "guidance_in.in_layer.bias")]
    [InlineData(CheckpointKind.Flux, "model.diffusion_model.double_blocks.0.img_attn.qkv.weight", "vae.decoder.conv_in.bias")]
    [InlineData(CheckpointKind.Lora, "lora_unet_input_blocks_4_1_proj_in.lora_up.weight", "lora_unet_input_blocks_4_1_proj_in.alpha")]
    [InlineData(
        CheckpointKind.Lora, "unet.down_blocks.1.attentions.0.proj_in.lora_A.weight",
        "unet.down_blocks.1.attentions.0.proj_in.lora_B.weight")]
    [InlineData(CheckpointKind.ControlNet, "control_model.input_blocks.0.0.weight", "control_model.zero_convs.0.0.weight")]
    [InlineData(CheckpointKind.TextualInversion, "clip_g", "clip_l")]
    [InlineData(CheckpointKind.LoneUNet, "down_blocks.0.resnets.0.conv1.weight", "conv_in.weight")]
    [InlineData(CheckpointKind.LoneUNet, "model.diffusion_model.out.2.weight", "first_stage_model.decoder.conv_in.bias")]
    [InlineData(CheckpointKind.LoneVae, "decoder.up_blocks.0.resnets.0.conv1.weight", "quant_conv.weight")]
    [InlineData(CheckpointKind.LoneVae, "decoder.up.0.block.0.conv1.weight", "quant_conv.weight")]
    [InlineData(CheckpointKind.Upscaler, "body.0.rdb1.conv1.weight", "conv_first.weight")]
    [InlineData(CheckpointKind.Upscaler, "model.0.weight", "model.1.sub.0.RDB1.conv1.0.weight")]
    [InlineData(CheckpointKind.Upscaler, "body.0.weight", "body.1.weight")]
    [InlineData(CheckpointKind.LoneTextEncoder, "text_model.encoder.layers.0.mlp.fc1.weight", "text_projection.weight")]
    [InlineData(CheckpointKind.Unknown, "bert.encoder.weight", "bert.pooler.weight")]
    public void RequireSdxlBase_OfAnotherModel_RefusesItByName(CheckpointKind expected, string first, string second)
    {
        string path = _folder.WriteTensors([(first, [1]), (second, [1])]);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        CheckpointKindException exception = Assert.Throws<CheckpointKindException>(() => CheckpointInspector.RequireSdxlBase(file));
        Assert.Equal((expected, path), (exception.Kind, exception.Path));
    }

    [Fact]
    public void MissingTensors_OfMany_ShowsTheFirstAndCountsTheRest()
    {
        TensorMismatch[] mismatches =
            [new("a", [2, 3], [3, 3]), .. Enumerable.Range(0, 9).Select(i => new TensorMismatch($"b{i}", null, [1]))];
        var exception = new MissingTensorsException("file", mismatches);
        Assert.Equal(10, exception.Mismatches.Count);
        Assert.Contains(
            "10 needed tensors: a (found [2, 3], expected [3, 3]), b0 (missing, expected [1]), b1 (missing, expected [1]) and 7 more",
            exception.Message, StringComparison.Ordinal);
    }

    // Empty tensors in place of numbers that are null.
    private SafetensorsFile WithSigmas(float? most, float? least)
    {
        var raw = new RawCheckpoint();
        foreach (string name in Sdxl.Append("model.diffusion_model.out.2.weight")) raw.SetSingles(name, [0], 1);
        float[] Numbers(float? value) => value is { } number ? [number] : [];
        raw.SetSingles("edm_vpred.sigma_max", Numbers(most), Numbers(most).Length);
        raw.SetSingles("edm_vpred.sigma_min", Numbers(least), Numbers(least).Length);
        return SafetensorsFile.Open(raw.Write(_folder["sigmas.safetensors"]));
    }
}
