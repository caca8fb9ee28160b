using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Cli;

public sealed class CheckCommandTests
{
    [Fact]
    public async Task RunAsync_AgainstAFileWithoutReferenceValues_FailsAndSaysSo()
    {
        MuseResult result = await Muse.RunAsync("check", TestAtelier.Checkpoint, "--against", TestAtelier.Checkpoint, "--cache", Muse.Cache);
        Assert.Equal(1, result.Code);
        Assert.Contains("left out: UNet", result.Out, StringComparison.Ordinal);
        Assert.Contains("error: the file has values for no part", result.Error, StringComparison.Ordinal);
    }
}
