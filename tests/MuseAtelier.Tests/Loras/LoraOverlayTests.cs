using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Loras;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Loras;

/// <summary>Overlays of the Miniature with a LoRA, against a direct computation from its checkpoint.</summary>
public sealed class LoraOverlayTests : IDisposable
{
    private const float Strength = 0.5f, TextStrength = 2;

    private readonly TemporaryFolder _folder = new();
    private readonly LoraModel _model = new();

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(Lowering.Portable)]
    [InlineData(Lowering.Cuda)]
    public void Write_HoldsTheChangedWeights(Lowering lowering)
    {
        string checkpoint = Path.Combine(TemporaryFolder.Repository, "models", "miniature", "miniature.safetensors");
        CheckpointExporter.Export(checkpoint, _folder["base"], new ExportOptions { Lowering = lowering },
            cancellationToken: TestContext.Current.CancellationToken);
        using SafetensorsFile source = SafetensorsFile.Open(checkpoint);
        const string Block = "middle_block.1.transformer_blocks.0.", Name = "lora_unet_mid_block_attentions_0_transformer_blocks_0_";
        const string Text = "transformer.resblocks.0.attn.in_proj_weight";
        var changes = new List<(string Key, int FirstRow, LoraTensorData Up, LoraTensorData Down, float Strength)>
        {
            Change(source, LoraModel.UNet + Block + "attn1.to_q.weight", Name + "attn1_to_q"),
            Change(source, LoraModel.UNet + Block + "attn2.to_k.weight", Name + "attn2_to_k"),
            Change(source, LoraModel.UNet + Block + "ff.net.0.proj.weight", "lora_unet_middle_block_1_transformer_blocks_0_ff_net_0_proj"),
            Change(source, LoraModel.UNet + "middle_block.0.in_layers.2.weight", "lora_unet_middle_block_0_in_layers_2"),
            Change(source, LoraModel.UNet + "time_embed.0.weight", "lora_unet_time_embed_0"),
            Change(source, LoraModel.ClipL + "encoder.layers.0.mlp.fc1.weight", "lora_te1_text_model_encoder_layers_0_mlp_fc1"),
            Change(source, LoraModel.ClipG + Text, "lora_te2_text_model_encoder_layers_0_self_attn_v_proj", part: 2),
        };
        LoraFile file = _model.File([.. changes.SelectMany(change => new[] { change.Up, change.Down })]);
        (long bytes, IReadOnlyList<string> notices) = LoraOverlay.Write(
            _folder["base"], "changed", [new LoraUse(file, Strength, TextStrength)], _folder["overlay"],
            TestContext.Current.CancellationToken);
        Assert.Empty(notices);

        PackageManifest basis = PackageManifest.Read(_folder["base"]), overlay = PackageManifest.Read(_folder["overlay"]);
        Assert.InRange(bytes, 1, basis.Files.Sum(entry => entry.Bytes));
        Assert.Equal("changed", overlay.Checkpoint.Name);
        foreach ((string key, int firstRow, LoraTensorData up, LoraTensorData down, float strength) in changes)
        {
            WeightSpec[] weights = [.. Weights(overlay).Where(weight => weight.Slices.Any(slice => slice.Key == key
                && slice.FirstRow < firstRow + up.Shape[0] && slice.FirstRow + slice.Rows > firstRow))];
            Assert.NotEmpty(weights);
            foreach (WeightSpec weight in weights) Check(source, overlay, weight, firstRow, up, down, strength);
        }
    }

    // Each number is the nearest one of the package's type to W + strength * up x down.
    private void Check(
        SafetensorsFile source, PackageManifest overlay, WeightSpec weight, int firstRow, LoraTensorData up, LoraTensorData down,
        float strength)
    {
        TensorSlice slice = Assert.Single(weight.Slices);
        int rows = (int)weight.Shape[0], columns = (int)(weight.Elements / rows), inner = (int)weight.Shape[^1], rank = (int)down.Shape[0];
        float[] stored = source.ReadFloats(slice.Key), found = new float[weight.Elements];
        byte[] bytes = new byte[weight.Bytes];
        using (FileStream file = File.OpenRead(overlay.PathOf(_folder["overlay"], weight.File)))
        {
            file.Position = weight.Offset;
            file.ReadExactly(bytes);
        }

        FloatDecoding.Decode(weight.Type, bytes, found);
        for (int i = 0; i < found.Length; i++)
        {
            (int row, int column) = (i / columns, i % columns);
            // Of a convolution, the input channel is the innermost dimension in a package for a card.
            if (weight.Layout == WeightLayout.ChannelsLast) column = (column % inner * (columns / inner)) + (column / inner);
            long target = row + slice.FirstRow - firstRow;
            double change = 0;
            for (int k = 0; k < rank; k++) change += (double)up.Values[target * rank + k] * down.Values[k * columns + column];
            double expected = stored[((row + slice.FirstRow) * columns) + column] + strength * change;
            double unit = weight.Type == ElementType.F16 ? Math.Max(Math.Abs(expected) / 1024, 6e-8) : 1e-6;
            Assert.InRange(found[i] - expected, -unit, unit);
        }
    }

    private (string Key, int FirstRow, LoraTensorData Up, LoraTensorData Down, float Strength) Change(
        SafetensorsFile source, string key, string name, int? part = null)
    {
        IReadOnlyList<long> shape = source.Tensors[key].Shape;
        long rows = part is null ? shape[0] : shape[0] / 3;
        LoraTensorData up = _model.Tensor($"{name}.lora_up.weight", [rows, 2, .. shape.Skip(2).Select(_ => 1L)]);
        LoraTensorData down = _model.Tensor($"{name}.lora_down.weight", [2, .. shape.Skip(1)]);
        bool isText = !key.StartsWith(LoraModel.UNet, StringComparison.Ordinal);
        return (key, (int)(rows * (part ?? 0)), up, down, isText ? TextStrength : Strength);
    }

    private static IEnumerable<WeightSpec> Weights(PackageManifest manifest) => manifest.Components
        .SelectMany(component => component.Stages).SelectMany(stage => stage.Weights.Concat(stage.Constants));
}
