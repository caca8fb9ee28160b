using System.Text.Json.Nodes;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Cli;

public sealed class DoctorCommandTests
{
    [Fact]
    public async Task RunAsync_OfDoctor_ShowsTheChecklist()
    {
        string[] options = ["--model", TestAtelier.Checkpoint, "--gallery", TestAtelier.Options.CacheFolder!];
        MuseResult result = await Muse.RunAsync(["doctor", .. options]);
        Assert.Equal(0, result.Code);
        Assert.Contains("checklist", result.Out, StringComparison.Ordinal);
        MuseResult json = await Muse.RunAsync(["doctor", "--json", "--ram", "10MiB", .. options]);
        JsonArray lines = JsonNode.Parse(json.Out)!["checklist"]!.AsArray();
        string[] keys = ["model", "precision", "sanctum", "device", "speed", "gallery"];
        Assert.Equal(keys, lines.Select(line => line!["key"]!.GetValue<string>()));
        Assert.True(lines[0]!["isDone"]!.GetValue<bool>());
        Assert.Contains(lines[0]!["finding"]!.GetValue<string>(), result.Out, StringComparison.Ordinal);
    }
}
