using System.Text.Json;
using MuseAtelier.Tests.Checkpoints;
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
    public async Task RunAsync_WithSamplers_PrintsEveryCase()
    {
        string file = Path.Combine(GoldenFiles.Folder, "sampling.golden.safetensors");
        MuseResult result = await Muse.RunAsync("check", "--samplers", file);
        Assert.Equal(0, result.Code);
        Assert.Contains("dpmpp_2m.karras.12", result.Out, StringComparison.Ordinal);
        Assert.Contains("cases passed", result.Out, StringComparison.Ordinal);
        using JsonDocument document = JsonDocument.Parse((await Muse.RunAsync("check", "--samplers", file, "--json")).Out);
        Assert.True(document.RootElement.GetProperty("passed").GetBoolean());
        JsonElement one = document.RootElement.GetProperty("cases").EnumerateArray()
            .Single(one => one.GetProperty("name").GetString() == "euler.karras.5");
        Assert.InRange(one.GetProperty("relativeError").GetDouble(), 0, one.GetProperty("allowedError").GetDouble());
    }

    [Fact]
    public async Task RunAsync_WithSamplersThatFail_EndsWith1()
    {
        using var folder = new TemporaryFolder();
        string own = Path.Combine(GoldenFiles.Folder, "sampling.golden.safetensors");
        byte[] bytes = await File.ReadAllBytesAsync(own, TestContext.Current.CancellationToken);
        bytes[^2] ^= 0x40; // the exponent of the last value
        await File.WriteAllBytesAsync(folder["bad.safetensors"], bytes, TestContext.Current.CancellationToken);
        File.Copy(Path.ChangeExtension(own, ".json"), folder["bad.json"]);
        MuseResult result = await Muse.RunAsync("check", "--samplers", folder["bad.safetensors"]);
        Assert.Equal(1, result.Code);
        Assert.Contains("FAIL", result.Out, StringComparison.Ordinal);
        Assert.Contains("cases passed", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunAsync_WithNeitherOrBoth_IsRefusedInOneLine()
    {
        (await Muse.RunAsync("check", TestAtelier.Checkpoint)).AssertFailed(2, "--against", "--report");
        (await Muse.RunAsync("check", "--against", "a.safetensors", "--report")).AssertFailed(2, "--against", "--report");
        (await Muse.RunAsync("check", "--samplers", "a.safetensors", "--report")).AssertFailed(2, "--samplers");
        (await Muse.RunAsync("check", "model", "--samplers", "a.safetensors")).AssertFailed(2, "--samplers needs no MODEL");
        (await Muse.RunAsync("check", "--samplers", TestAtelier.Checkpoint)).AssertFailed(1, "no ", "JSON");
        (await Muse.RunAsync("check", "--against", "a.safetensors", "--parts")).AssertFailed(2, "--parts needs --report");
    }
}
