using System.Text.Json.Nodes;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Cli;

public sealed class ModelsCommandTests
{
    [Fact]
    public async Task Models_WithTheMiniatureAtHand_VerifiesIt()
    {
        MuseResult result = await Muse.RunAsync("models", "--json");
        Assert.Equal(0, result.Code);
        JsonNode miniature = Assert.Single(result.Lines.Select(line => JsonNode.Parse(line)!), model =>
            model["name"]!.GetValue<string>() == "Miniature");
        Assert.Equal("Right", miniature["state"]!.GetValue<string>());
        Assert.Equal(miniature["sha256"]!.GetValue<string>(), miniature["foundSha256"]!.GetValue<string>());
    }

    [Fact]
    public async Task Models_WithAnotherFileOfAKnownName_Fails()
    {
        using var folder = new TemporaryFolder();
        folder.Write("sd_xl_base_1.0.safetensors", new byte[10]);
        MuseResult result = await Muse.RunAsync("models", Path.GetDirectoryName(folder["x"])!);
        Assert.Equal(1, result.Code);
        Assert.Contains("another file, of 10 bytes", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_OfAnUnknownDigest_SaysUnknown()
    {
        MuseResult result = await Muse.RunAsync("models");
        Assert.Contains("sha256     unknown", result.Out, StringComparison.Ordinal);
    }
}
