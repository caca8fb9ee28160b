using System.Text.Json;

namespace MuseAtelier.Tests.Cli;

public sealed class BenchCommandTests
{
    [Theory]
    [InlineData("gilded", "Gilded Inside")]
    [InlineData("none", null)]
    public async Task RunAsync_WithAFrame_SaysWhatIsTheFrames(string frame, string? expected)
    {
        MuseResult result = await Muse.RunAsync(
            "bench", "--width", "256", "--height", "256", "--steps", "1", "--pictures", "1", "--frame", frame, "--json", "--cache",
            Muse.Cache);
        Assert.Equal(0, result.Code);
        using JsonDocument document = JsonDocument.Parse(result.Out);
        Assert.Equal(expected, document.RootElement.GetProperty("frame").GetString());
        Assert.Equal(
            expected is null ? JsonValueKind.Null : JsonValueKind.Number, document.RootElement.GetProperty("frameMilliseconds").ValueKind);
        // Post-processing is part of the decoding time, but not all of it.
        Assert.InRange(
            document.RootElement.GetProperty("finishingMilliseconds").GetDouble(), double.Epsilon,
            1000 * document.RootElement.GetProperty("decodingSeconds").GetDouble());
    }
}
