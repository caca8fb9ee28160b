using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests;

public sealed class ReferenceCheckTests
{
    [Fact]
    public async Task RunAsync_OfEveryGolden_PassesWithoutLeavingAnythingOut()
    {
        foreach (GoldenFile golden in GoldenFiles.All)
        {
            ReferenceReport report = await ReferenceCheck.RunAsync(
                GoldenFiles.CheckpointOf(golden), golden.Path, TestAtelier.Options, cancellationToken: TestContext.Current.CancellationToken);
            Assert.Empty(report.LeftOut);
            Assert.All(report.Parts, part => Assert.True(part.Passed, $"{golden}: {part}"));
            string[] expected =
            [
                "Token ids", "CLIP-L hidden", "CLIP-G hidden", "CLIP-G pooled", "UNet 128x128", "UNet 192x64", "VAE decode 128x128", "VAE decode 192x64",
                "VAE encode 128x128", "VAE encode 192x64", "Latents after 8 steps", "Picture 192x128",
            ];
            Assert.Equal(expected, report.Parts.Select(part => part.Name));
            Assert.True(report.Passed);
        }
    }
}
