using System.Buffers.Binary;
using MuseAtelier.Export.Loras;
using MuseAtelier.Format;

namespace MuseAtelier.Tests.Loras;

/// <summary>Files that are damaged, made for other models, or no LoRAs.</summary>
public sealed class HostileLoraTests : IDisposable
{
    private const string Name = "lora_unet_input_blocks_1_1_proj_in";
    private const string Key = LoraModel.UNet + "input_blocks.1.1.proj_in.weight";

    private readonly LoraModel _model = new LoraModel().WithMarks();
    private readonly WeightSpec _weight;

    public HostileLoraTests() => _weight = _model.Add(ComponentNames.UNet, Key, [6, 4], type: ElementType.F16);

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData("lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight", "Flux")]
    [InlineData("transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight", "Flux")]
    [InlineData("lora_unet_joint_blocks_0_x_block_attn_qkv.lora_up.weight", "Stable Diffusion 3")]
    [InlineData("transformer.transformer_blocks.0.attn.to_q.lora_A.weight", "Stable Diffusion 3")]
    [InlineData("lora_prior_unet_down_blocks_0_mapper.lora_up.weight", "Stable Cascade")]
    [InlineData(Name + ".oft_blocks", "OFT")]
    [InlineData(Name + ".boft_R", "BOFT")]
    [InlineData(Name + ".on_input", "IA3")]
    [InlineData("first_stage_model.decoder.conv_in.weight", "VAE")]
    public void OtherKindsAreRefusedByName(string tensor, string kind)
    {
        string path = _model.Write(ElementType.F16, null, _model.Tensor(tensor, 4, 4));
        Assert.Contains(kind, Assert.Throws<LoraKindException>(() => LoraFile.Open(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(768, "Stable Diffusion 1.x")]
    [InlineData(1024, "Stable Diffusion 2.x")]
    public void OtherTextEncodersAreRefusedByName(long width, string kind)
    {
        string path = _model.Write(ElementType.F16, null,
            _model.Tensor("lora_unet_input_blocks_1_1_transformer_blocks_0_attn2_to_k.lora_down.weight", 1, width));
        Assert.Contains(kind, Assert.Throws<LoraKindException>(() => LoraFile.Open(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileOfUnknownNamesIsRefused()
    {
        LoraFile file = _model.File(
            _model.Tensor("blocks.0.attn.q.lora_up.weight", 6, 1), _model.Tensor("blocks.0.attn.q.lora_down.weight", 1, 4));
        Assert.Equal("blocks.0.attn.q", Assert.Throws<LoraMatchException>(() => Of(file)).Name);
    }

    [Theory]
    [InlineData("rank 0", new long[] { 6, 0 }, new long[] { 0, 4 })]
    [InlineData("too large a rank", new long[] { 6, 20_000 }, new long[] { 20_000, 4 })]
    [InlineData("ranks that differ", new long[] { 6, 2 }, new long[] { 3, 4 })]
    [InlineData("more rows than the weight", new long[] { 7, 2 }, new long[] { 2, 4 })]
    [InlineData("more columns than the weight", new long[] { 6, 2 }, new long[] { 2, 5 })]
    [InlineData("no dimensions", new long[] { }, new long[] { 1, 4 })]
    public void ShapesThatDoNotFitAreRefused(string why, long[] up, long[] down)
    {
        LoraFile file = _model.File(_model.Tensor(Name + ".lora_up.weight", up), _model.Tensor(Name + ".lora_down.weight", down));
        Assert.Contains(Name, Assert.Throws<LoraShapeException>(() => Of(file)).Name, StringComparison.Ordinal);
        Assert.NotEmpty(why);
    }

    [Theory]
    [InlineData("lora_up.weight")]
    [InlineData("hada_w1_a")]
    [InlineData("lokr_w1")]
    [InlineData("a1.weight")]
    [InlineData("dora_scale")]
    public void MissingPartsAreRefused(string end)
    {
        LoraFile file = _model.File(_model.Tensor($"{Name}.{end}", 6, 4));
        Assert.Equal(Name, Assert.Throws<LoraShapeException>(() => Of(file)).Name);
    }

    [Fact]
    public void AKroneckerProductThatOverflowsIsRefused()
    {
        LoraFile file = _model.File(_model.Tensor(Name + ".lokr_w1", 70_000, 1), _model.Tensor(Name + ".lokr_w2", 70_000, 1));
        Assert.Contains("Kronecker", Assert.Throws<LoraShapeException>(() => Of(file)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void FactorsThatAreNotFiniteAreRefused(float value)
    {
        float[] down = [1, 2, value, 4];
        LoraFile file = _model.File(
            _model.Tensor(Name + ".lora_up.weight", 6, 1), new LoraTensorData(Name + ".lora_down.weight", [1, 4], down));
        LoraSet set = Of(file);
        LoraValueException exception = Assert.Throws<LoraValueException>(() => set.Merge(_weight, new byte[_weight.Bytes]));
        Assert.Equal(Name + ".lora_down.weight", exception.Name);
    }

    [Fact]
    public void AnAlphaThatIsNotFiniteIsRefused()
    {
        LoraFile file = _model.File(_model.Tensor(Name + ".lora_up.weight", 6, 1), _model.Tensor(Name + ".lora_down.weight", 1, 4),
            new LoraTensorData(Name + ".alpha", [], [float.NaN]));
        Assert.Equal(Name + ".alpha", Assert.Throws<LoraValueException>(() => Of(file)).Name);
    }

    [Theory]
    [InlineData(float.NaN, 1)]
    [InlineData(1, float.NegativeInfinity)]
    public void StrengthsThatAreNotFiniteAreRefused(float strength, float text) =>
        Assert.Throws<LoraStrengthException>(() => _model.Set(new LoraUse(Ones(), strength, text)));

    [Fact]
    public void AnOverflowOfFp16NamesLoraWeightAndValue()
    {
        LoraSet set = _model.Set(new LoraUse(Ones(), 70_000, 1));
        LoraOverflowException exception = Assert.Throws<LoraOverflowException>(() => set.Merge(_weight, new byte[_weight.Bytes]));
        Assert.Equal((Key, 70_000f), (exception.Weight, exception.Value));
        Assert.Contains("lora-", exception.Message, StringComparison.Ordinal);
        // The largest number of fp16 itself fits.
        byte[] bytes = new byte[_weight.Bytes];
        _model.Set(new LoraUse(Ones(), 65_504, 1)).Merge(_weight, bytes);
        Assert.Equal(Half.MaxValue, BinaryPrimitives.ReadHalfLittleEndian(bytes));
    }

    [Fact]
    public void AFileThatEndsEarlyIsRefused()
    {
        string path = _model.Write(ElementType.F32, null, _model.Tensor(Name + ".lora_up.weight", 6, 1));
        using (FileStream file = File.OpenWrite(path)) file.SetLength(file.Length - 4);
        Assert.Throws<CheckpointTruncatedException>(() => LoraFile.Open(path));
    }

    // A replacement of a bias that the package stores in a sum with another would lose the other one.
    [Fact]
    public void AReplacementOfAPartOfASumIsRefused()
    {
        const string First = LoraModel.UNet + "input_blocks.1.0.out_layers.3.bias";
        const string Second = LoraModel.UNet + "input_blocks.1.0.skip_connection.bias";
        WeightSpec sum = _model.Add(ComponentNames.UNet, [new TensorSlice(First, 0, 7), new TensorSlice(Second, 0, 7)], [7]);
        LoraSet set = Of(_model.File(_model.Tensor("diffusion_model.input_blocks.1.0.out_layers.3.bias.set_weight", 7)));
        LoraShapeException exception = Assert.Throws<LoraShapeException>(() => set.Merge(sum, new byte[sum.Bytes]));
        Assert.Contains("sum", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DamagedMetadataNamesNoTriggerWords()
    {
        var metadata = new Dictionary<string, string>
        {
            ["ss_tag_frequency"] = "{\"a\": {\"x\": 1e999, \"y\": [1], \"z\": 3, \"w\\u0007\": 4}, \"b\": 7, \"c\": {\"z\": 2}}",
            ["modelspec.trigger_phrase"] = "in the style of nobody",
            ["ss_output_name"] = "Alias",
            ["ss_base_model_version"] = "sdxl_base_v1-0",
            ["sshs_model_hash"] = new string('a', 64),
        };
        LoraFile file = _model.File(ElementType.F16, metadata,
            _model.Tensor(Name + ".lora_up.weight", 6, 2), _model.Tensor(Name + ".lora_down.weight", 2, 4),
            _model.Tensor("lora_te1_x.lora_up.weight", 1, 4), _model.Tensor("lora_te1_x.lora_down.weight", 4, 1));
        LoraInfo info = file.Info;
        Assert.Equal(["in the style of nobody", "z", "w"], info.TriggerWords.Where(word => word != "x"));
        Assert.Equal(("Alias", "sdxl_base_v1-0", 2, 4), (info.Alias, info.TrainedOn, info.LeastRank, info.MostRank));
        Assert.Equal(["LoRA"], info.Families);
        Assert.Equal(["UNet", "CLIP-L"], info.Parts);

        metadata["ss_tag_frequency"] = "{\"a\": {\"x\": 1";
        LoraFile damaged = _model.File(ElementType.F16, metadata, _model.Tensor(Name + ".diff", 6, 4));
        Assert.Equal(["in the style of nobody"], damaged.Info.TriggerWords);
    }

    private LoraFile Ones() => _model.File(
        new LoraTensorData(Name + ".lora_up.weight", [6, 1], [1, 1, 1, 1, 1, 1]),
        new LoraTensorData(Name + ".lora_down.weight", [1, 4], [1, 1, 1, 1]));

    private LoraSet Of(LoraFile file) => _model.Set(new LoraUse(file, 1, 1));
}
