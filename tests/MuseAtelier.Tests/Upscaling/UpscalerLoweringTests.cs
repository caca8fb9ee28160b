using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Networks;
using MuseAtelier.Export.Onnx.Proto;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Lowerings;
using MuseAtelier.Tests.Support;
using Planes = MuseAtelier.Tests.Upscaling.DirectUpscaler.Planes;

namespace MuseAtelier.Tests.Upscaling;

/// <summary>The graphs of upscalers for cards, with standard operators in place of those that only a card has.</summary>
public sealed class UpscalerLoweringTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    // Levels of 255. In fp16 a network of thirty layers loses about one level.
    [Theory]
    [InlineData(Precision.Fp32, 1, 0.53)]
    [InlineData(Precision.Fp32, 2, 0.53)]
    [InlineData(Precision.Fp32, 4, 0.53)]
    [InlineData(Precision.Fp16, 1, 3)]
    public async Task Export_OfARrdbNetworkForCuda_IsTheDirectComputation(Precision precision, int unshuffle, double allowed)
    {
        RawCheckpoint weights = MadeUpUpscaler.Rrdb(unshuffle);
        byte[] pixels = MadeUpUpscaler.Picture(16, 12);
        await CompareAsync(weights, pixels, new DirectUpscaler(weights).Rrdb(pixels, 16, 12, unshuffle), precision, allowed);
    }

    [Theory]
    [InlineData(Precision.Fp32, 0.53)]
    [InlineData(Precision.Fp16, 3)]
    public async Task Export_OfACompactNetworkForCuda_IsTheDirectComputation(Precision precision, double allowed)
    {
        RawCheckpoint weights = MadeUpUpscaler.Compact();
        byte[] pixels = MadeUpUpscaler.Picture(16, 12);
        await CompareAsync(weights, pixels, new DirectUpscaler(weights).Compact(pixels, 16, 12, 4), precision, allowed);
    }

    // Training keeps two sets of weights; here they differ in their scale.
    [Fact]
    public void Describe_OfAFileWithTwoSetsOfWeights_TakesTheirRunningMean()
    {
        var both = new RawCheckpoint();
        foreach ((string name, RawCheckpoint.Tensor tensor) in MadeUpUpscaler.Compact(scale: 2).Tensors)
            both.Tensors[$"params.{name}"] = tensor;
        foreach ((string name, RawCheckpoint.Tensor tensor) in MadeUpUpscaler.Compact(scale: 4).Tensors)
            both.Tensors[$"params_ema.{name}"] = tensor;
        using TensorFile file = TensorFile.Open(both.Write(_folder["both.safetensors"]));
        Assert.Equal(4, UpscalerNetworks.Describe(file, ElementType.F32).Spec.Scale);
    }

    [Fact]
    public async Task UpscaleAsync_OfANetworkThatOverflowsFp16_IsDoneAgainInFp32()
    {
        RawCheckpoint weights = MadeUpUpscaler.Overflowing();
        byte[] pixels = MadeUpUpscaler.Picture(16, 12);
        // Its numbers are so large that fp32 keeps fewer bits of the result.
        await CompareAsync(weights, pixels, new DirectUpscaler(weights).Compact(pixels, 16, 12, 2), Precision.Fp16, allowed: 0.6);
    }

    [Theory]
    [InlineData(Precision.Fp16)]
    [InlineData(Precision.Fp32)]
    public void Export_ForCuda_LeavesNoShapeToTheProcessor(Precision precision)
    {
        foreach (RawCheckpoint weights in (RawCheckpoint[])[MadeUpUpscaler.Rrdb(unshuffle: 2), MadeUpUpscaler.Compact()])
        {
            string folder = Export(weights, precision);
            foreach (string path in Directory.GetFiles(folder, "*.onnx", SearchOption.AllDirectories))
                Assert.DoesNotContain(ModelProto.Parser.ParseFrom(File.ReadAllBytes(path)).Graph.Node, node => node.OpType == "Shape");
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task CompareAsync(RawCheckpoint weights, byte[] pixels, Planes expected, Precision precision, double allowed)
    {
        string folder = Export(weights, precision);
        CudaPackageOnProcessor.Rewrite(folder);
        await using Upscaler upscaler = await Upscaler.OpenAsync(folder, TestAtelier.Options, cancellationToken: Stop);
        SourceImage found = await upscaler.UpscaleAsync(new SourceImage(16, 12, pixels), cancellationToken: Stop);
        expected.AssertIs(found, allowed);
    }

    private string Export(RawCheckpoint weights, Precision precision)
    {
        var options = new ExportOptions { Lowering = Lowering.Cuda, Precisions = Precisions.All(precision) };
        string file = weights.Write(_folder["upscaler.safetensors"]);
        return CheckpointExporter.ExportUpscaler(file, new ExportPlace(_folder["package"]), options, null, Stop).Folder;
    }
}
