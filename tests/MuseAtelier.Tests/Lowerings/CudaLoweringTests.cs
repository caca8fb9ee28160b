using Google.Protobuf.Collections;
using MuseAtelier.Cpu;
using MuseAtelier.Export;
using MuseAtelier.Export.Onnx.Proto;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Lowerings;

public sealed class CudaLoweringTests
{
    private static readonly string Checkpoint = Path.Combine(GoldenFiles.Root, "models", "miniature", "miniature.safetensors");

    // fp16 weights and values against fp32: a fault of the lowering costs tens of dB.
    [Fact]
    public async Task Export_ForCuda_PaintsWhatThePortableLoweringPaints()
    {
        using var folder = new TemporaryFolder();
        CudaPackageOnProcessor.Export(Checkpoint, folder["cuda"]);
        CheckpointExporter.Export(
            Checkpoint, folder["portable"], new ExportOptions { Lowering = Lowering.Portable },
            cancellationToken: TestContext.Current.CancellationToken);

        // An odd plane at every level: 34 and 33 latents, 17 and 17, 9 and 9.
        var request = new PictureRequest
        {
            Prompt = "a starry night over a quiet city, oil painting",
            Width = 272,
            Height = 264,
            Steps = 4,
            Seed = 7,
        };
        Picture fromCuda = await Paint(folder["cuda"], request), fromPortable = await Paint(folder["portable"], request);

        Assert.True(Decibels(fromCuda, fromPortable) > 40, $"{Decibels(fromCuda, fromPortable):F1} dB");
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Precision.Fp16)]
    [InlineData(Precision.Fp32)]
    public void Export_ForCuda_LeavesNoOperatorToTheProcessor(Precision? precision)
    {
        using var folder = new TemporaryFolder();
        CheckpointExporter.Export(
            Checkpoint, folder["cuda"],
            new ExportOptions { Lowering = Lowering.Cuda, Precisions = precision is { } all ? Precisions.All(all) : null },
            cancellationToken: TestContext.Current.CancellationToken);

        foreach (string path in Directory.GetFiles(folder["cuda"], "*.onnx", SearchOption.AllDirectories))
        {
            // ONNX Runtime computes on the processor what reads a shape; only operators that take a shape itself are exempt.
            RepeatedField<NodeProto> nodes = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path)).Graph.Node;
            foreach (NodeProto shape in nodes.Where(node => node.OpType == "Shape"))
                Assert.All(nodes.Where(node => node.Input.Contains(shape.Output[0])), node =>
                    Assert.True(node.OpType is "Reshape" or "Resize", $"{node.OpType} in {path}"));
        }
    }

    private static async Task<Picture> Paint(string package, PictureRequest request)
    {
        await using Atelier atelier = await Atelier.OpenAsync(
            package, new AtelierOptions { Backend = CpuBackend.Create() }, cancellationToken: TestContext.Current.CancellationToken);
        return await atelier.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken);
    }

    private static double Decibels(Picture first, Picture second)
    {
        double squares = 0;
        ReadOnlySpan<byte> left = first.Pixels.Span, right = second.Pixels.Span;
        for (int i = 0; i < left.Length; i++) squares += (left[i] - right[i]) * (left[i] - right[i]);
        return 10 * Math.Log10(255.0 * 255 * left.Length / squares);
    }
}
