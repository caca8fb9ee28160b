using System.Text;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Loras;
using MuseAtelier.Format;

namespace MuseAtelier.Tests.Loras;

/// <summary>Matching LoRAs with the weights of a package, and the sums of their changes.</summary>
public sealed class LoraSetTests : IDisposable
{
    private const string Query = "input_blocks.1.1.transformer_blocks.0.attn1.to_q";
    private const string QueryName = "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q";
    private const string Stacked = LoraModel.ClipG + "transformer.resblocks.0.attn.in_proj_weight";
    private const string Value = "lora_te2_text_model_encoder_layers_0_self_attn_v_proj";

    private readonly LoraModel _model = new LoraModel().WithMarks();

    public void Dispose() => _model.Dispose();

    [Fact]
    public void StackedRowsChangeOnlyTheirOwnWeight()
    {
        _model.Add(ComponentNames.ClipG, LoraModel.ClipG + "transformer.resblocks.0.attn.out_proj.weight", [6, 6]);
        WeightSpec[] parts = [.. Enumerable.Range(0, 3).Select(part =>
            _model.Add(ComponentNames.ClipG, [new TensorSlice(Stacked, part * 6, 6)], [6, 6]))];
        WeightSpec whole = _model.Add(ComponentNames.ClipG, [new TensorSlice(Stacked, 0, 18)], [18, 6]);
        LoraTensorData up = _model.Tensor($"{Value}.lora_up.weight", 6, 2), down = _model.Tensor($"{Value}.lora_down.weight", 2, 6);
        LoraSet set = _model.Set(new LoraUse(_model.File(up, down), 0, 0.5f));
        Assert.Equal([false, false, true], parts.Select(set.Touches));

        float[] stored = _model.Values(108);
        (double[] before, float[] after) = LoraModel.Merge(set, whole, stored);
        (_, float[] third) = LoraModel.Merge(set, parts[2], stored[72..]);
        for (int i = 0; i < 108; i++)
        {
            int row = i / 6 - 12, column = i % 6;
            double change = row < 0 ? 0 : 0.5 * (up[row, 0] * down[0, column] + up[row, 1] * down[1, column]);
            Assert.Equal(before[i] + change, after[i], 2e-6);
            if (row >= 0) Assert.Equal(after[i], third[i - 72]);
        }
    }

    // A decomposition by input channels needs the rows of the other half too, which another weight of the package holds.
    [Fact]
    public void HalvesOfAWeightGiveTheRowsOfTheWhole()
    {
        const string Key = LoraModel.UNet + "input_blocks.1.1.transformer_blocks.0.ff.net.0.proj.weight";
        const string Name = "lora_unet_input_blocks_1_1_transformer_blocks_0_ff_net_0_proj";
        float[] stored = _model.Values(16 * 5);
        LoraTensorData[] tensors =
        [
            _model.Tensor($"{Name}.lora_up.weight", 16, 2), _model.Tensor($"{Name}.lora_down.weight", 2, 5),
            _model.Tensor($"{Name}.dora_scale", 1, 5),
        ];
        LoraFile file = _model.File(tensors);
        byte[] bytes = new byte[stored.Length * sizeof(float)];
        FloatEncoding.Encode(stored, ElementType.F32, bytes);
        File.WriteAllBytes(_model.Path("weights"), bytes);
        WeightSpec half = _model.Add(ComponentNames.UNet, [new TensorSlice(Key, 8, 8)], [8, 5]);
        WeightSpec other = _model.Add(ComponentNames.UNet, [new TensorSlice(Key, 0, 8)], [8, 5]);
        LoraSet split = LoraSet.Of(_model.Manifest(Path.GetDirectoryName(_model.Path("weights"))), [new LoraUse(file, 0.5f, 1)]);

        using LoraModel wholeModel = new LoraModel().WithMarks();
        WeightSpec whole = wholeModel.Add(ComponentNames.UNet, Key, [16, 5]);
        (_, float[] expected) = LoraModel.Merge(wholeModel.Set(new LoraUse(file, 0.5f, 1)), whole, stored);
        // The second half is read from the package's file, whose first half lies there.
        (_, float[] second) = LoraModel.Merge(split, half, stored[40..]);
        Assert.Equal(expected[40..], second);
        Assert.True(split.Touches(other));
    }

    [Fact]
    public void SumsOfBiasesAndScalesAreChangedOnce()
    {
        const string First = LoraModel.UNet + "input_blocks.1.0.out_layers.3.bias";
        const string Second = LoraModel.UNet + "input_blocks.1.0.skip_connection.bias";
        WeightSpec sum = _model.Add(
            ComponentNames.UNet, [new TensorSlice(First, 0, 7), new TensorSlice(Second, 0, 7) { Scale = 0.25f }], [7]);
        LoraTensorData first = _model.Tensor("lora_unet_input_blocks_1_0_out_layers_3.diff_b", 7);
        LoraTensorData second = _model.Tensor("lora_unet_down_blocks_0_resnets_0_conv_shortcut.diff_b", 7);
        LoraSet set = _model.Set(new LoraUse(_model.File(first, second), 2, 0));
        (double[] before, float[] after) = LoraModel.Merge(set, sum, _model.Values(7));
        for (int i = 0; i < 7; i++) Assert.Equal(before[i] + 2 * first[i] + 2 * 0.25 * second[i], after[i], 2e-6);
    }

    // PEFT's bias of the upper factor has the factor of the product.
    [Theory]
    [InlineData("lora_B.bias")]
    [InlineData("lora_up.bias")]
    public void ABiasOfTheUpperFactorIsScaledByAlpha(string end)
    {
        const string Key = LoraModel.UNet + "input_blocks.1.1.proj_in", Name = "lora_unet_input_blocks_1_1_proj_in";
        _model.Add(ComponentNames.UNet, Key + ".weight", [7, 5]);
        WeightSpec bias = _model.Add(ComponentNames.UNet, Key + ".bias", [7]);
        LoraTensorData added = _model.Tensor($"{Name}.{end}", 7);
        LoraSet set = _model.Set(new LoraUse(
            _model.File(
                _model.Tensor($"{Name}.lora_up.weight", 7, 2), _model.Tensor($"{Name}.lora_down.weight", 2, 5), added,
                new LoraTensorData($"{Name}.alpha", [], [3])),
            0.5f, 0));
        Assert.Empty(set.Notices);
        (double[] before, float[] after) = LoraModel.Merge(set, bias, _model.Values(7));
        for (int i = 0; i < 7; i++) Assert.Equal(before[i] + 0.5 * 1.5 * added[i], after[i], 1e-6);
    }

    // The package stores some weights multiplied by a factor; the magnitudes are those of the checkpoint's weights.
    [Theory]
    [InlineData("dora_scale", new long[] { 6, 1 })]
    [InlineData("dora_scale", new long[] { 1, 5 })]
    [InlineData("lora_magnitude_vector", new long[] { 6 })]
    public void ADecompositionOfAScaledWeightIsTheScaledDecomposition(string end, long[] shape)
    {
        const float Scale = 0.125f;
        const string Key = LoraModel.UNet + Query + ".weight";
        LoraFile file = _model.File(
            _model.Tensor($"{QueryName}.lora_up.weight", 6, 2), _model.Tensor($"{QueryName}.lora_down.weight", 2, 5),
            _model.Tensor($"{QueryName}.{end}", shape));
        float[] stored = _model.Values(30);
        WeightSpec scaled = _model.Add(ComponentNames.UNet, [new TensorSlice(Key, 0, 6) { Scale = Scale }], [6, 5]);
        (_, float[] after) = LoraModel.Merge(
            _model.Set(new LoraUse(file, 0.7f, 0)), scaled, Array.ConvertAll(stored, value => Scale * value));
        using LoraModel plain = new LoraModel().WithMarks();
        WeightSpec weight = plain.Add(ComponentNames.UNet, Key, [6, 5]);
        (_, float[] expected) = LoraModel.Merge(plain.Set(new LoraUse(file, 0.7f, 0)), weight, stored);
        for (int i = 0; i < after.Length; i++) Assert.Equal(Scale * expected[i], after[i], 1e-6);
    }

    // Square factors of a square weight fit both layouts of GLoRA. LyCORIS's old one is meant then, as in ComfyUI.
    [Fact]
    public void SquareFactorsOfGloraHaveTheOldLayout()
    {
        const int Size = 4;
        WeightSpec weight = _model.Add(ComponentNames.UNet, LoraModel.UNet + Query + ".weight", [Size, Size]);
        LoraTensorData a1 = Factor("a1"), a2 = Factor("a2"), b1 = Factor("b1"), b2 = Factor("b2");
        LoraSet set = _model.Set(new LoraUse(_model.File(a1, a2, b1, b2), 1, 0));
        (double[] before, float[] after) = LoraModel.Merge(set, weight, _model.Values(Size * Size));
        for (int row = 0; row < Size; row++)
        {
            for (int column = 0; column < Size; column++)
            {
                double change = 0;
                for (int k = 0; k < Size; k++)
                {
                    change += b2[row, k] * b1[k, column];
                    for (int j = 0; j < Size; j++) change += before[row * Size + j] * a2[j, k] * a1[k, column];
                }

                Assert.Equal(before[row * Size + column] + change, after[row * Size + column], 2e-6);
            }
        }

        LoraTensorData Factor(string name) => _model.Tensor($"{QueryName}.{name}.weight", Size, Size);
    }

    // A replacement and a decomposition start from what the files before them leave.
    [Fact]
    public void ChangesAreMadeInTheOrderOfTheFiles()
    {
        WeightSpec weight = _model.Add(ComponentNames.UNet, LoraModel.UNet + Query + ".weight", [6, 5]);
        LoraTensorData added = _model.Tensor($"{QueryName}.diff", 6, 5), whole = _model.Tensor($"{QueryName}.set_weight", 6, 5);
        var addition = new LoraUse(_model.File(added), 1, 0);
        var replacement = new LoraUse(_model.File(whole), 1, 0);
        float[] stored = _model.Values(30);
        (_, float[] replaced) = LoraModel.Merge(_model.Set(addition, replacement), weight, stored);
        Assert.Equal(whole.Values, replaced);
        (_, float[] both) = LoraModel.Merge(_model.Set(replacement, addition), weight, stored);
        Assert.Equal(whole.Values.Zip(added.Values, (one, other) => one + other), both);
    }

    [Fact]
    public void SeveralAddUpInTheirOrderAndHundredWork()
    {
        WeightSpec weight = _model.Add(ComponentNames.UNet, LoraModel.UNet + Query + ".weight", [33, 40]);
        var tensors = new List<(LoraTensorData Up, LoraTensorData Down)>();
        var uses = new List<LoraUse>();
        for (int i = 0; i < 100; i++)
        {
            LoraTensorData up = _model.Tensor($"{QueryName}.lora_up.weight", 33, 1);
            LoraTensorData down = _model.Tensor($"{QueryName}.lora_down.weight", 1, 40);
            tensors.Add((up, down));
            uses.Add(new LoraUse(_model.File(up, down), 0.01f * i, 0));
        }

        LoraSet set = _model.Set([.. uses]);
        (double[] before, float[] after) = LoraModel.Merge(set, weight, _model.Values(33 * 40));
        double worst = 0;
        for (int i = 0; i < after.Length; i++)
        {
            double expected = before[i] + tensors.Select((pair, n) => (double)(0.01f * n) * pair.Up[i / 40] * pair.Down[0, i % 40]).Sum();
            worst = Math.Max(worst, Math.Abs(expected - after[i]));
        }

        Assert.InRange(worst, 0, 2e-5);
        // Strength 0 leaves the first file's weight alone, and its factors out.
        Assert.Equal(99 * (33 + 40) * sizeof(float), set.Bytes);
    }

    [Fact]
    public void BytesAreTheRoundedNumbersAndDoNotDependOnThreads()
    {
        WeightSpec weight = _model.Add(ComponentNames.UNet, LoraModel.UNet + Query + ".weight", [200, 70], type: ElementType.F16);
        LoraFile file = _model.File(
            _model.Tensor($"{QueryName}.lora_up.weight", 200, 5), _model.Tensor($"{QueryName}.lora_down.weight", 5, 70));
        LoraSet set = _model.Set(new LoraUse(file, 0.3f, 1));
        byte[] stored = new byte[weight.Bytes];
        FloatEncoding.Encode(_model.Values(weight.Elements), ElementType.F16, stored);
        float[] merged = new float[weight.Elements];
        set.Merge(weight, stored, merged);
        byte[] expected = new byte[weight.Bytes];
        FloatEncoding.Encode(merged, ElementType.F16, expected);
        Parallel.For(0, 8, _ =>
        {
            byte[] bytes = [.. stored];
            set.Merge(weight, bytes);
            Assert.Equal(expected, bytes);
        });
    }

    [Fact]
    public void UnknownNamesAreOneNoticeAndDiffusersNamesWin()
    {
        WeightSpec weight = _model.Add(ComponentNames.UNet, LoraModel.UNet + Query + ".weight", [4, 4]);
        const string Diffusers = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
        LoraTensorData up = _model.Tensor($"{Diffusers}.lora_up.weight", 4, 1), down = _model.Tensor($"{Diffusers}.lora_down.weight", 1, 4);
        LoraFile file = _model.File(up, down,
            _model.Tensor($"{QueryName}.lora_up.weight", 4, 1), _model.Tensor($"{QueryName}.lora_down.weight", 1, 4),
            _model.Tensor("lora_unet_elsewhere.lora_up.weight", 4, 1), _model.Tensor("lora_unet_elsewhere.lora_down.weight", 1, 4),
            _model.Tensor("step", 1));
        LoraSet set = _model.Set(new LoraUse(file, 1, 1));
        string notice = Assert.Single(set.Notices);
        Assert.Contains("3 names", notice, StringComparison.Ordinal);
        Assert.Contains("'step'", notice, StringComparison.Ordinal);
        Assert.Contains("elsewhere", notice, StringComparison.Ordinal);
        (double[] before, float[] after) = LoraModel.Merge(set, weight, _model.Values(16));
        for (int i = 0; i < 16; i++) Assert.Equal(before[i] + up[i / 4] * down[0, i % 4], after[i], 2e-6);
    }

    [Fact]
    public void ChangesOfClipLsLastLayerAreLeftOutWithoutANotice()
    {
        const string Layer = "encoder.layers.0.mlp.fc1", Name = "lora_te1_text_model_encoder_layers_";
        WeightSpec weight = _model.Add(ComponentNames.ClipL, LoraModel.ClipL + Layer + ".weight", [4, 4]);
        LoraTensorData[] last =
            [_model.Tensor($"{Name}1_mlp_fc1.lora_up.weight", 4, 1), _model.Tensor($"{Name}1_mlp_fc1.lora_down.weight", 1, 4)];
        LoraTensorData norm = _model.Tensor("lora_te1_text_model_final_layer_norm.w_norm", 4);
        LoraFile file = _model.File([_model.Tensor($"{Name}0_mlp_fc1.diff", 4, 4), .. last, norm]);
        LoraSet set = _model.Set(new LoraUse(file, 1, 1));
        Assert.True(set.Touches(weight));
        Assert.Empty(set.Notices);

        // A file that changes nothing else belongs to the model all the same.
        Assert.False(_model.Set(new LoraUse(_model.File(last), 1, 1)).Touches(weight));
    }

    [Fact]
    public void AlphaAndScalarAreFactors()
    {
        WeightSpec weight = _model.Add(ComponentNames.UNet, LoraModel.UNet + Query + ".weight", [4, 4]);
        LoraTensorData up = _model.Tensor($"{QueryName}.lora_up.weight", 4, 2), down = _model.Tensor($"{QueryName}.lora_down.weight", 2, 4);
        LoraFile file = _model.File(up, down, new LoraTensorData($"{QueryName}.alpha", [], [3]),
            new LoraTensorData($"{QueryName}.scalar", [], [0.5f]));
        (double[] before, float[] after) = LoraModel.Merge(_model.Set(new LoraUse(file, 1, 1)), weight, _model.Values(16));
        for (int i = 0; i < 16; i++)
            Assert.Equal(before[i] + 0.75 * (up[i / 4] * down[0, i % 4] + up[i / 4, 1] * down[1, i % 4]), after[i], 2e-6);
    }

    // The transpose of open_clip's text_projection is the layer that LoRAs change.
    [Fact]
    public void TextProjectionIsTransposed()
    {
        WeightSpec weight = _model.Add(ComponentNames.ClipG, LoraModel.ClipG + "text_projection", [5, 7]);
        const string Name = "lora_te2_text_projection";
        LoraTensorData up = _model.Tensor($"{Name}.lora_up.weight", 7, 1), down = _model.Tensor($"{Name}.lora_down.weight", 1, 5);
        LoraSet set = _model.Set(new LoraUse(_model.File(up, down), 1, 1));
        (double[] before, float[] after) = LoraModel.Merge(set, weight, _model.Values(35));
        for (int i = 0; i < 35; i++) Assert.Equal(before[i] + up[i % 7] * down[0, i / 7], after[i], 2e-6);
    }

    [Theory]
    [InlineData(ElementType.F16)]
    [InlineData(ElementType.BF16)]
    internal void FilesOfSmallerTypesAreRead(ElementType type)
    {
        WeightSpec weight = _model.Add(ComponentNames.UNet, LoraModel.UNet + Query + ".weight", [4, 4]);
        LoraFile file = _model.File(type, null, new LoraTensorData($"{QueryName}.lora_up.weight", [4, 1], [0.5f, 1, 2, -3]),
            new LoraTensorData($"{QueryName}.lora_down.weight", [1, 4], [0.25f, 1, 1.5f, 8]));
        (double[] before, float[] after) = LoraModel.Merge(_model.Set(new LoraUse(file, 1, 1)), weight, _model.Values(16));
        Assert.Equal(before[7] + 8, after[7], 2e-6);
    }

    // 0x38 is 1 and 0xC4 is -3 with four bits of exponent, 0x42 is 3 with five.
    [Theory]
    [InlineData("F8_E4M3", 0x38, 0xC4, -3)]
    [InlineData("F8_E5M2", 0x3C, 0x42, 3)]
    public void FilesOfFp8AreRead(string type, byte up, byte down, float change)
    {
        WeightSpec weight = _model.Add(ComponentNames.UNet, LoraModel.UNet + Query + ".weight", [1, 1]);
        string header = $"{{\"{QueryName}.lora_up.weight\":{{\"dtype\":\"{type}\",\"shape\":[1,1],\"data_offsets\":[0,1]}},"
            + $"\"{QueryName}.lora_down.weight\":{{\"dtype\":\"{type}\",\"shape\":[1,1],\"data_offsets\":[1,2]}}}}";
        string path = _model.Path("fp8.safetensors");
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. Encoding.ASCII.GetBytes(header), up, down]);
        using LoraFile file = LoraFile.Open(path);
        (double[] before, float[] after) = LoraModel.Merge(_model.Set(new LoraUse(file, 1, 1)), weight, _model.Values(1));
        Assert.Equal(before[0] + change, after[0], 2e-6);
    }

    // Whether a weight is changed is asked in loops that allocate nothing.
    [Fact]
    public void TouchesAllocatesNothing()
    {
        WeightSpec weight = _model.Add(ComponentNames.UNet, LoraModel.UNet + Query + ".weight", [4, 4]);
        LoraSet set = _model.Set(new LoraUse(_model.File(_model.Tensor($"{QueryName}.diff", 4, 4)), 1, 1));
        set.Touches(weight);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) set.Touches(weight);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
