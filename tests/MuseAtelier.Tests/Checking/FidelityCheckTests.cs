using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Checking;

public sealed class FidelityCheckTests(NarrowAtelier narrow)
{
    private static readonly FidelityRequest Small = new() { Seeds = 2, Width = 256, Height = 256, Steps = 2 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task RunAsync_OfACheckpoint_FindsEveryPartAndPictureNearButNotEqual()
    {
        FidelityReport report = await FidelityCheck.RunAsync(
            NarrowAtelier.Checkpoint, TestAtelier.Options, Small, cancellationToken: Cancellation);
        Assert.Equal(
            ["CLIP-L hidden", "CLIP-G hidden", "CLIP-G pooled", "UNet prediction", "VAE decode"],
            report.Parts.Take(5).Select(part => part.Name));
        Assert.All(report.Parts.Take(5), part =>
        {
            Assert.Equal([1UL, 2UL], part.Values.Select(value => value.Seed));
            // Half of fp16's last bit is 2.4e-4 of a number at most; a fault, or fp32 under the name of fp16, lies outside.
            Assert.InRange(part.MedianRelativeError, 5e-5, 5e-3);
            Assert.InRange(part.Worst.Psnr, 50, part.MedianPsnr);
            Assert.Null(part.MedianHistogramDifference);
        });

        FidelityPart[] pictures = [.. report.Parts.Skip(5)];
        Assert.Equal(4, pictures.Length);
        Assert.All(pictures, part =>
        {
            Assert.NotEqual(part.Compared, part.Reference);
            Assert.InRange(part.MedianPsnr, 40, 80);
            Assert.InRange(part.MedianHistogramDifference!.Value, 1e-5, 0.05);
            Assert.True(part.WorstHistogramDifference >= part.MedianHistogramDifference);
        });
        int textAlone = pictures.Count(part =>
            part.Name.Contains("text encoders alone", StringComparison.Ordinal)
            && part.Compared.Contains("text encoders fp16", StringComparison.Ordinal)
            && part.Reference.Contains("text encoders fp32", StringComparison.Ordinal));
        Assert.Equal(2, textAlone);
    }

    [Fact]
    public async Task RunAsync_WithoutPictures_LeavesThemOutAndStartsFromNoise()
    {
        var notices = new List<string>();
        FidelityReport report = await FidelityCheck.RunAsync(
            NarrowAtelier.Checkpoint, TestAtelier.Options, Small with { WithPictures = false }, new Notices(notices), Cancellation);
        Assert.Equal(5, report.Parts.Count);
        Assert.All(report.Parts, part => Assert.InRange(part.MedianRelativeError, 5e-5, 5e-3));
        Assert.DoesNotContain(notices, notice => notice.Contains("picture", StringComparison.Ordinal));
        Assert.Contains("text encoders fp16, UNet fp16, VAE fp16: VAE decode 2 of 2", notices);
    }

    [Fact]
    public async Task RunAsync_OfAPackage_ThrowsWithItsPath()
    {
        FidelityModelException exception = await Assert.ThrowsAsync<FidelityModelException>(() =>
            FidelityCheck.RunAsync(narrow.Atelier.Model.Package, TestAtelier.Options, Small, cancellationToken: Cancellation));
        Assert.Equal(narrow.Atelier.Model.Package, exception.Model);
    }

    [Fact]
    public void Part_OfSeveralSeeds_HasAMedianAndAWorst()
    {
        FidelityPart Of(params double[] ratios) =>
            new("part", "fp16", "fp32", [.. ratios.Select((psnr, index) => new FidelityValue((ulong)index + 1, psnr, 1 / psnr))]);
        FidelityPart part = Of(50, 40, 70, 60);
        Assert.Equal((55, 40, 2UL), (part.MedianPsnr, part.Worst.Psnr, part.Worst.Seed));
        Assert.Equal(1.0 / 40, part.WorstRelativeError);
        Assert.Equal(double.PositiveInfinity, Of(double.PositiveInfinity, double.PositiveInfinity).MedianPsnr);

        // What is not finite is worse than anything.
        FidelityPart broken = Of(50, double.NaN, 60);
        Assert.Equal((50, 2UL), (broken.MedianPsnr, broken.Worst.Seed));
        Assert.True(double.IsNaN(broken.WorstRelativeError));
    }

    private sealed class Notices(List<string> list) : IProgress<string>
    {
        public void Report(string value) => list.Add(value);
    }
}
