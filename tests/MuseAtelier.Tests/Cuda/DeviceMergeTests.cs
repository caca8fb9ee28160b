using System.Runtime.InteropServices;
using MuseAtelier.Cuda.Devices;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Loras;
using MuseAtelier.Format;
using MuseAtelier.Tests.Loras;

namespace MuseAtelier.Tests.Cuda;

/// <summary>The factors that a card gets, added here as kernels.cu adds them, beside the merge on the processor.</summary>
public sealed unsafe class DeviceMergeTests : IDisposable
{
    private const string Query = LoraModel.UNet + "input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight";
    private const string QueryName = "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q";
    private const string Convolution = LoraModel.UNet + "input_blocks.1.0.in_layers.2.weight";
    private const string ConvolutionName = "lora_unet_input_blocks_1_0_in_layers_2";
    private const string Stacked = LoraModel.ClipG + "transformer.resblocks.0.attn.in_proj_weight";
    private const string StackedName = "lora_te2_text_model_encoder_layers_0_self_attn";

    private readonly LoraModel _model = new LoraModel().WithMarks();

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData(ElementType.F16)]
    [InlineData(ElementType.F32)]
    internal void Factors_OfSeveralLoras_GiveTheBytesOfTheMerge(ElementType type)
    {
        WeightSpec weight = _model.Add(ComponentNames.UNet, Query, [131, 77], type: type);
        LoraSet set = _model.Set(
            new LoraUse(Linear(QueryName, 131, 77, rank: 33), 0.7f, 1), new LoraUse(Linear(QueryName, 131, 77, rank: 5), -1.3f, 1));
        RequireSameBytes(set, weight);
    }

    // The package stores a kernel's pixels before its input channels.
    [Fact]
    public void Factors_OfAConvolution_FollowItsLayout()
    {
        WeightSpec weight = _model.Add(ComponentNames.UNet, Convolution, [70, 3, 3, 6], WeightLayout.ChannelsLast, ElementType.F16);
        LoraFile file = _model.File(
            _model.Tensor($"{ConvolutionName}.lora_up.weight", 70, 4, 1, 1),
            _model.Tensor($"{ConvolutionName}.lora_down.weight", 4, 6, 3, 3));
        RequireSameBytes(_model.Set(new LoraUse(file, 0.5f, 1)), weight);
    }

    // LoRAs of query and value, in one weight for query, key and value.
    [Fact]
    public void Factors_OfStackedRows_ChangeTheirOwnRowsAlone()
    {
        _model.Add(ComponentNames.ClipG, LoraModel.ClipG + "transformer.resblocks.0.attn.out_proj.weight", [50, 50]);
        WeightSpec weight = _model.Add(ComponentNames.ClipG, [new TensorSlice(Stacked, 0, 150)], [150, 50]);
        LoraSet set = _model.Set(
            new LoraUse(Linear(StackedName + "_q_proj", 50, 50, rank: 3), 1, 1),
            new LoraUse(Linear(StackedName + "_v_proj", 50, 50, rank: 7), 1, 1));
        RequireSameBytes(set, weight);
    }

    [Fact]
    public void MostRows_OfFactorsWithoutRoom_AreNone()
    {
        WeightSpec weight = _model.Add(ComponentNames.UNet, Query, [64, 5000]);
        Assert.True(DeviceMerge.MostRows(ProductsOf(rank: 100)) >= 64);
        Assert.Equal(0, DeviceMerge.MostRows(ProductsOf(rank: 1000)));

        LoraProducts ProductsOf(int rank) =>
            _model.Set(new LoraUse(Linear(QueryName, 64, 5000, rank), 1, 1)).ProductsOf(weight)!;
    }

    [Fact]
    public void ProductsOf_AChangeThatIsNoProduct_AreNone()
    {
        WeightSpec weight = _model.Add(ComponentNames.UNet, Query, [12, 8]);
        LoraFile product = Linear(QueryName, 12, 8, rank: 2), difference = _model.File(_model.Tensor($"{QueryName}.diff", 12, 8));
        Assert.NotNull(_model.Set(new LoraUse(product, 1, 1)).ProductsOf(weight));
        Assert.Null(_model.Set(new LoraUse(product, 1, 1), new LoraUse(difference, 1, 1)).ProductsOf(weight));
    }

    [Fact]
    public void Fill_OfANumberThatIsNotFinite_NamesIt()
    {
        WeightSpec weight = _model.Add(ComponentNames.UNet, Query, [12, 8]);
        LoraTensorData up = _model.Tensor($"{QueryName}.lora_up.weight", 12, 2);
        up.Values[3] = float.NaN;
        LoraSet set = _model.Set(new LoraUse(_model.File(up, _model.Tensor($"{QueryName}.lora_down.weight", 2, 8)), 1, 1));
        var exception = Assert.Throws<LoraValueException>(() => Fill(set.ProductsOf(weight)!, 0, 12));
        Assert.Contains(up.Name, exception.Message, StringComparison.Ordinal);
    }

    private LoraFile Linear(string name, int rows, int columns, int rank) =>
        _model.File(_model.Tensor($"{name}.lora_up.weight", rows, rank), _model.Tensor($"{name}.lora_down.weight", rank, columns));

    private void RequireSameBytes(LoraSet set, WeightSpec weight)
    {
        byte[] stored = new byte[weight.Bytes];
        FloatEncoding.Encode(_model.Values(weight.Elements), weight.Type, stored);
        byte[] expected = [.. stored];
        set.Merge(weight, expected);
        Assert.NotEqual(stored, expected);
        LoraProducts products = Assert.IsType<LoraProducts>(set.ProductsOf(weight));
        // Rows that are no multiple of the last piece's.
        foreach (int rows in (int[])[products.Rows, 64])
        {
            float[] values = new float[weight.Elements];
            FloatDecoding.Decode(weight.Type, stored, values);
            for (int first = 0; first < products.Rows; first += rows)
                Add(Fill(products, first, Math.Min(rows, products.Rows - first)), products, values.AsSpan(first * products.Columns));
            byte[] found = new byte[weight.Bytes];
            FloatEncoding.Encode(values, weight.Type, found);
            Assert.Equal(expected, found);
        }
    }

    private static byte[] Fill(LoraProducts products, int first, int rows)
    {
        byte[] block = new byte[DeviceMerge.ScratchBytes];
        fixed (byte* host = block) return block[..(int)DeviceMerge.Fill(products, first, rows, (nint)host)];
    }

    // What the kernel does for each element: the sum over the rank in its order, in fp32, by fused operations.
    private static void Add(byte[] block, LoraProducts products, Span<float> values)
    {
        ReadOnlySpan<int> words = MemoryMarshal.Cast<byte, int>(block);
        ReadOnlySpan<float> numbers = MemoryMarshal.Cast<byte, float>(block);
        for (int p = 0; p < products.Products.Count; p++)
        {
            ReadOnlySpan<int> product = words.Slice(p * 6, 6);
            (int left, int right, int rank, int firstRow, int endRow) = (product[0], product[1], product[2], product[3], product[4]);
            for (int row = firstRow; row < endRow; row++)
            {
                for (int column = 0; column < products.Columns; column++)
                {
                    float sum = 0;
                    for (int k = 0; k < rank; k++)
                    {
                        float a = numbers[left + (row - firstRow) * rank + k];
                        sum = MathF.FusedMultiplyAdd(a, numbers[right + k * products.Columns + column], sum);
                    }

                    ref float value = ref values[row * products.Columns + column];
                    value = MathF.FusedMultiplyAdd(sum, numbers[p * 6 + 5], value);
                }
            }
        }
    }
}
