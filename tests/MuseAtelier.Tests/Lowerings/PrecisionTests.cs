using System.Text.Json;
using MuseAtelier.Export;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Packaging;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Lowerings;

/// <summary>What a package's parts compute in is what was chosen for each of them.</summary>
public sealed class PrecisionTests(TestAtelier miniature) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<Precisions, double, double> Rounded => new()
    {
        // One part at a time, then all: far from equal, and far from another picture.
        { new Precisions(Precision.Fp16, Precision.Fp32, Precision.Fp32), 45, 80 },
        { new Precisions(Precision.Fp32, Precision.Fp16, Precision.Fp32), 45, 80 },
        { new Precisions(Precision.Fp32, Precision.Fp32, Precision.Fp16), 45, 80 },
        { Precisions.All(Precision.Fp16), 45, 80 },
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Rounded))]
    public async Task Export_InFp16ForProcessors_PaintsAlikeButNotTheSame(Precisions precisions, double least, double most)
    {
        await using Atelier atelier = await Atelier.OpenAsync(
            TestAtelier.Checkpoint, TestAtelier.Options with { Precisions = precisions }, cancellationToken: Cancellation);
        Assert.InRange(await PsnrOf(atelier), least, most);
    }

    [Theory]
    [InlineData(Precision.Fp32, 75)]
    [InlineData(Precision.Fp16, 35)]
    public async Task Export_InOnePrecisionForCuda_PaintsWhatThePortableLoweringPaints(Precision precision, double least)
    {
        CudaPackageOnProcessor.Export(TestAtelier.Checkpoint, _folder["cuda"], Precisions.All(precision));
        await using Atelier atelier = await Atelier.OpenAsync(_folder["cuda"], TestAtelier.Options, cancellationToken: Cancellation);
        double psnr = await PsnrOf(atelier);
        Assert.True(psnr >= least, $"{psnr:F1} dB");
    }

    [Theory]
    [InlineData(Lowering.Portable)]
    [InlineData(Lowering.Cuda)]
    public void Describe_OfEachPrecision_HandsOnNumbersOfThatPrecision(Lowering lowering)
    {
        foreach (Precision precision in Enum.GetValues<Precision>())
        {
            IReadOnlyList<ComponentSpec> components = CheckpointExporter.Describe(
                TestAtelier.Checkpoint, new ExportOptions { Lowering = lowering, Precisions = Precisions.All(precision) });
            foreach (string name in (string[])[ComponentNames.ClipL, ComponentNames.ClipG, ComponentNames.UNet])
                Assert.All(components.First(component => component.Name == name).Intermediates, tensor =>
                    Assert.Equal(precision.Type(), tensor.Type));
            Assert.All(components.First(component => component.Name == ComponentNames.CrossAttention).Outputs, tensor =>
                Assert.Equal(precision.Type(), tensor.Type));
            Assert.Equal(precision == Precision.Fp16, components.Any(component => component.Name == ComponentNames.VaeDecoderFp32));

            // What a component's caller gives and gets is the same in all of them.
            foreach (string name in (string[])[ComponentNames.ClipL, ComponentNames.ClipG, ComponentNames.VaeDecoder])
                Assert.All(components.First(component => component.Name == name).Outputs, tensor =>
                    Assert.Equal(ElementType.F32, tensor.Type));
        }
    }

    [Fact]
    public void Export_InTheLoweringsOwnPrecision_IsTheSamePackage()
    {
        CheckpointExporter.Export(
            TestAtelier.Checkpoint, _folder["chosen"], new ExportOptions { Precisions = Precisions.All(Precision.Fp32) },
            cancellationToken: Cancellation);
        PackageManifest chosen = PackageManifest.Read(_folder["chosen"]), own = PackageManifest.Read(miniature.Atelier.Model.Package);
        Assert.Null(chosen.Precisions);
        Assert.Equal(own.Files, chosen.Files);
    }

    [Theory]
    [InlineData(Precision.Fp16, Precision.Fp16, "\"Fp16\"", "16")]
    [InlineData(Precision.Fp32, Precision.Fp32, "\"Fp32\"", "32")]
    [InlineData(Precision.Fp16, Precision.Fp32, "{\"storage\":\"Fp16\",\"arithmetic\":\"Fp32\"}", "32s16")]
    public void PartPrecision_WrittenAndRead_IsTheSame(Precision storage, Precision arithmetic, string json, string code)
    {
        var precision = new PartPrecision(storage, arithmetic);
        Assert.Equal(json, JsonSerializer.Serialize(precision));
        Assert.Equal(precision, JsonSerializer.Deserialize<PartPrecision>(json));
        Assert.Equal($"text{code}-unet16-vae32", new Precisions(precision, Precision.Fp16, Precision.Fp32).Code());
    }

    [Theory]
    [InlineData("0")]
    [InlineData("\"1\"")]
    [InlineData("\"Fp8\"")]
    [InlineData("null")]
    [InlineData("{\"storage\":\"Fp16\"}")]
    [InlineData("{\"storage\":\"Fp16\",\"arithmetic\":1}")]
    [InlineData("{\"storage\":\"Fp16\",\"other\":\"Fp16\"}")]
    public void PartPrecision_OfAnotherForm_IsRefused(string json) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<PartPrecision>(json));

    [Fact]
    public void Export_StoredOtherwiseThanItComputes_IsRefused()
    {
        Precisions wanted = Precisions.All(Precision.Fp32) with { Vae = new PartPrecision(Precision.Fp16, Precision.Fp32) };
        UnsupportedPrecisionException exception = Assert.Throws<UnsupportedPrecisionException>(() => CheckpointExporter.Export(
            TestAtelier.Checkpoint, _folder["a"], new ExportOptions { Precisions = wanted }, cancellationToken: Cancellation));
        Assert.Contains("VAE fp32 stored in fp16", exception.Found, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["a"]));
    }

    [Fact]
    public async Task Open_APackageOfAnotherPrecision_ThrowsWithBothPrecisions()
    {
        var wanted = new Precisions(Precision.Fp16, Precision.Fp32, Precision.Fp32);
        PackagePrecisionException exception = await Assert.ThrowsAsync<PackagePrecisionException>(() =>
            miniature.OpenAsync(TestAtelier.Options with { Precisions = wanted }));
        Assert.Contains("text encoders fp32", exception.Found, StringComparison.Ordinal);
        Assert.Equal("text encoders fp16, UNet fp32, VAE fp32", exception.Expected);
    }

    [Fact]
    public void Export_OfALargeWeightInFp16_NamesTheWeight()
    {
        // Only fp16 cannot hold it.
        string checkpoint = _folder["large.safetensors"], name = "model.diffusion_model.middle_block.1.proj_in.weight";
        using (SafetensorsFile source = SafetensorsFile.Open(TestAtelier.Checkpoint))
        {
            SafetensorsDeclaration[] tensors =
                [.. source.Tensors.Values.Select(tensor =>
                    new SafetensorsDeclaration(tensor.Name, tensor.Name == name ? ElementType.F32 : tensor.Type!.Value, tensor.Shape))];
            CheckpointVariant.Write(source, checkpoint, tensors, (tensor, values) => values[0] = tensor == name ? 1e5f : values[0]);
        }

        CheckpointExporter.Export(
            checkpoint, _folder["fp32"], new ExportOptions { Lowering = Lowering.Cuda, Precisions = Precisions.All(Precision.Fp32) },
            cancellationToken: Cancellation);
        WeightOverflowException exception = Assert.Throws<WeightOverflowException>(
            () => CheckpointExporter.Export(
                checkpoint, _folder["fp16"], new ExportOptions { Precisions = Precisions.All(Precision.Fp16) },
                cancellationToken: Cancellation));
        Assert.Contains(name, exception.Message, StringComparison.Ordinal);
        Assert.Contains("fp32", exception.Remedy, StringComparison.Ordinal);
    }

    private async Task<double> PsnrOf(Atelier atelier)
    {
        Picture picture = await atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Cancellation);
        Picture exact = await miniature.ReferenceAsync(TestAtelier.Small);
        return Likeness.Psnr(exact.Pixels.Span, picture.Pixels.Span);
    }
}
