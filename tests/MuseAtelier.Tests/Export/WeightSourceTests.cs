using System.Globalization;
using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Onnx.Proto;
using MuseAtelier.Export.Packaging;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Export;

/// <summary>Manifests name the source of every weight as data: the bytes follow from them and the checkpoint alone.</summary>
public sealed class WeightSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Lowering.Portable, Precision.Fp32)]
    [InlineData(Lowering.Portable, Precision.Fp16)]
    [InlineData(Lowering.Cuda, Precision.Fp16)]
    public void EveryWeight_ReadThroughTheManifest_EqualsThePackage(Lowering lowering, Precision precision)
    {
        Reread(TestAtelier.Checkpoint, new ExportOptions { Lowering = lowering, Precisions = Precisions.All(precision) });
    }

    [Fact]
    public void EveryWeight_OfScaledFp8AndTransposedTensors_ReadThroughTheManifest_EqualsThePackage()
    {
        RawCheckpoint raw = RawCheckpoint.Miniature();
        const string projection = "conditioner.embedders.1.model.text_projection";
        RawCheckpoint.Tensor stored = raw.Tensors[projection];
        raw.Tensors.Remove(projection);
        raw.Tensors[projection + ".weight"] = stored;
        const string product = "model.diffusion_model.middle_block.1.proj_in.";
        long rows = raw.Tensors[product + "weight"].Shape[0];
        byte[] codes = [.. raw.Tensors[product + "weight"].Bytes.Where((_, i) => i % 2 == 1).Select(code => (byte)(code & 0x3F))];
        raw.Set(product + "weight", "F8_E4M3", raw.Tensors[product + "weight"].Shape, codes);
        raw.SetSingles(product + "scale_weight", [.. Enumerable.Range(1, (int)rows).Select(row => 0.01f * row)], rows, 1);
        IReadOnlyList<WeightSpec> weights = Reread(raw.Write(_folder["c.safetensors"]), new ExportOptions { Lowering = Lowering.Cuda });
        Assert.Contains(weights, weight => weight.Layout == WeightLayout.Transposed);
        Assert.Contains(weights, weight => weight.Slices.Any(slice => slice.Multiplier == product + "scale_weight"));
        Assert.Contains(weights, weight => weight.Slices.Count > 1);
        Assert.Contains(weights, weight => weight.Slices.Any(slice => slice.FirstRow > 0));
    }

    [Fact]
    public void Constants_OfTheManifest_AreThoseOfTheGraphs()
    {
        string package = _folder["a"];
        CheckpointExporter.Export(
            TestAtelier.Checkpoint, package, new ExportOptions { Lowering = Lowering.Cuda }, cancellationToken: Cancellation);
        int found = 0;
        foreach (StageSpec stage in PackageManifest.Read(package).Components.SelectMany(component => component.Stages))
        {
            ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(Path.Combine(package, stage.Graph)));
            string[] graph =
            [
                .. model.Graph.Initializer.Where(tensor => tensor.DataLocation == TensorProto.Types.DataLocation.External)
                    .Select(tensor => $"{tensor.Name} graphs/{string.Join(' ', tensor.ExternalData.Select(entry => entry.Value))}"),
            ];
            string[] manifest =
            [
                .. stage.Constants.Select(constant => string.Create(
                    CultureInfo.InvariantCulture, $"{constant.Graph} {constant.File} {constant.Offset} {constant.Bytes}")),
            ];
            Assert.Equal(graph, manifest);
            found += manifest.Length;
        }

        Assert.InRange(found, 100, 10_000);
    }

    [Theory]
    [InlineData("no such tensor", 0, 320)]
    [InlineData("model.diffusion_model.out.2.bias", 1, 4)]
    [InlineData("model.diffusion_model.out.2.bias", 0, 3)]
    [InlineData("model.diffusion_model.out.2.bias", -1, 4)]
    [InlineData("model.diffusion_model.out.2.bias", long.MaxValue, 4)]
    public void Write_OfRowsThatTheCheckpointLacks_NamesTheTensor(string key, long first, long rows)
    {
        using SafetensorsFile file = SafetensorsFile.Open(TestAtelier.Checkpoint);
        var weight = new WeightSpec("w0", [new TensorSlice(key, first, rows)], ElementType.F32, [4], "weights/a.weights", 0);
        WeightSourceException exception = Assert.Throws<WeightSourceException>(
            () => new WeightTransfer(file).Write(weight, ComponentNames.UNet, _ => Assert.Fail("bytes were made"), Cancellation));
        Assert.Equal(key, exception.Tensor);
    }

    // Exports a checkpoint, and makes every weight anew.
    private List<WeightSpec> Reread(string checkpoint, ExportOptions options)
    {
        string package = _folder["a"];
        CheckpointExporter.Export(checkpoint, package, options, cancellationToken: Cancellation);
        using SafetensorsFile file = SafetensorsFile.Open(checkpoint);
        var transfer = new WeightTransfer(file);
        var files = new Dictionary<string, byte[]>();
        var weights = new List<WeightSpec>();
        foreach (ComponentSpec component in PackageManifest.Read(package).Components)
        {
            foreach (WeightSpec weight in component.Stages.SelectMany(stage => stage.Weights.Concat(stage.Constants)))
            {
                if (!files.TryGetValue(weight.File, out byte[]? bytes))
                    files[weight.File] = bytes = File.ReadAllBytes(Path.Combine(package, weight.File));
                using var made = new MemoryStream();
                transfer.Write(weight, component.Name, made.Write, Cancellation);
                bool isEqual = bytes.AsSpan((int)weight.Offset, (int)weight.Bytes).SequenceEqual(made.ToArray());
                Assert.True(isEqual, $"{component.Name}: {weight.Source}");
                weights.Add(weight);
            }
        }

        Assert.NotEmpty(weights);
        return weights;
    }
}
