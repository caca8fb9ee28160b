using System.Text.Json;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Cli;

public sealed class CheckCommandTests
{
    [Fact]
    public async Task RunAsync_AgainstAFileWithoutReferenceValues_EndsWith1AndListsWhatIsLeftOut()
    {
        MuseResult result = await Muse.RunAsync(
            "check", TestAtelier.Checkpoint, "--against", TestAtelier.Checkpoint, "--cache", Muse.Cache);
        Assert.Equal(1, result.Code);
        Assert.Contains("left out: UNet", result.Out, StringComparison.Ordinal);
        Assert.Contains("error: the file has values for no part", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_WithReport_SaysWhatFp16Costs()
    {
        MuseResult result = await Muse.RunAsync(
            "check", "--report", "--parts", "--seeds", "2", "--width", "256", "--height", "256", "--json", "--cache", Muse.Cache);
        Assert.Equal(0, result.Code);
        using JsonDocument document = JsonDocument.Parse(result.Out);
        JsonElement root = document.RootElement;
        Assert.Equal("miniature", root.GetProperty("model").GetString());
        Assert.NotEqual("", root.GetProperty("machine").GetProperty("onnxRuntime").GetString());
        Assert.Equal(2, root.GetProperty("seeds").GetInt32());
        JsonElement unet = root.GetProperty("parts").EnumerateArray()
            .Single(part => part.GetProperty("name").GetString() == "UNet prediction");
        Assert.InRange(unet.GetProperty("worstPsnr").GetDouble(), 50, unet.GetProperty("medianPsnr").GetDouble());
        Assert.Equal(2, unet.GetProperty("values").GetArrayLength());
    }

    [Fact]
    public async Task RunAsync_WithNeitherOrBoth_IsRefusedInOneLine()
    {
        (await Muse.RunAsync("check", TestAtelier.Checkpoint)).AssertFailed(2, "--against", "--report");
        (await Muse.RunAsync("check", "--against", "a.safetensors", "--report")).AssertFailed(2, "--against", "--report");
        (await Muse.RunAsync("check", "--against", "a.safetensors", "--parts")).AssertFailed(2, "--parts needs --report");
    }
}
