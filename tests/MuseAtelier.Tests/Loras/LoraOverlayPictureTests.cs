using MuseAtelier.Export;
using MuseAtelier.Export.Loras;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Loras;

/// <summary>
/// Pictures of an overlay, whose weights a LoRA has changed, beside those of its package with the same LoRA and strengths, which changes
/// the weights in memory.
/// </summary>
public sealed class LoraOverlayPictureTests(LoraFiles files) : IClassFixture<LoraFiles>, IDisposable
{
    private const float Strength = 0.7f, TextStrength = 0.4f;

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    // Where the engine leaves a merged weight in the package's type, the bits are those of the overlay, and so are the picture's bytes.
    [Fact]
    public async Task Generate_OfAnOverlayInFp16_EqualsTheMergeInMemory()
    {
        (Picture plain, Picture merged, Picture overlay) = await PaintAsync(Precisions.All(Precision.Fp16));
        Assert.Equal(merged.Pixels.ToArray(), overlay.Pixels.ToArray());
        Assert.Equal(merged.Provenance.StepHashes, overlay.Provenance.StepHashes);
        Assert.NotEqual(plain.Pixels.ToArray(), overlay.Pixels.ToArray());
    }

    // A processor computes in fp32, and the engine keeps a merged weight as it was computed. The overlay rounds it to the fp16 of the
    // checkpoint, by 1/2048 of its value at most, as every other weight of that checkpoint was rounded. The picture differs by that alone.
    [Fact]
    public async Task Generate_OfAnOverlayInFp32_DiffersByTheRoundingOfItsWeights()
    {
        (Picture plain, Picture merged, Picture overlay) = await PaintAsync(Precisions.All(Precision.Fp32));
        Assert.NotEqual(merged.Pixels.ToArray(), overlay.Pixels.ToArray());
        double rounding = Likeness.Psnr(merged.Pixels.Span, overlay.Pixels.Span);
        double change = Likeness.Psnr(merged.Pixels.Span, plain.Pixels.Span);
        Assert.True(rounding > 45 && change < rounding - 10, $"rounding {rounding:F1} dB, change {change:F1} dB");
    }

    private async Task<(Picture Plain, Picture Merged, Picture Overlay)> PaintAsync(Precisions precisions)
    {
        var options = new ExportOptions { Lowering = Lowering.Portable, Precisions = precisions };
        CheckpointExporter.Export(NarrowAtelier.Checkpoint, _folder["base"], options, cancellationToken: Cancellation);
        using (var file = LoraFile.Open(files.Convolutions))
            LoraOverlay.Write(_folder["base"], "changed", [new LoraUse(file, Strength, TextStrength)], _folder["overlay"], Cancellation);
        PictureRequest request = TestAtelier.Small with { Steps = 1 };
        var lora = new PictureLora { Path = files.Convolutions, Strength = Strength, TextStrength = TextStrength };
        AtelierOptions opening = TestAtelier.Options with { Precisions = precisions };
        await using Atelier one = await Atelier.OpenAsync(_folder["base"], opening, cancellationToken: Cancellation);
        await using Atelier other = await Atelier.OpenAsync(_folder["overlay"], opening, cancellationToken: Cancellation);
        return (
            await one.GenerateAsync(request, cancellationToken: Cancellation),
            await one.GenerateAsync(request with { Loras = [lora] }, cancellationToken: Cancellation),
            await other.GenerateAsync(request, cancellationToken: Cancellation));
    }
}
