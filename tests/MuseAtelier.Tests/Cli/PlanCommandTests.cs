using System.Text.Json;
using MuseAtelier.Cli;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Cli;

public sealed class PlanCommandTests
{
    private static readonly string Miniature = Path.Combine(GoldenFiles.Root, "models", "miniature", "miniature.safetensors");

    [Fact]
    public async Task Plan_OfACheckpoint_ShowsTheMemoryOfItsPhases()
    {
        (int code, string text, _) = await RunAsync("--vram", "4GiB");
        Assert.Equal(0, code);
        Assert.All((string[])["text", "conditioning", "denoising", "decoding", "sum", "picture", "The denoiser stays"], part =>
            Assert.Contains(part, text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Plan_AsJson_IsOneObjectThatKeepsTheBudget()
    {
        (_, string text, _) = await RunAsync("--vram", "2GiB", "--width", "512", "--height", "768", "--json");
        using JsonDocument plan = JsonDocument.Parse(text);
        Assert.Equal(2L << 30, plan.RootElement.GetProperty("request").GetProperty("budget").GetInt64());
        Assert.InRange(plan.RootElement.GetProperty("peakBytes").GetInt64(), 1, 2L << 30);
        Assert.Equal(4, plan.RootElement.GetProperty("phases").GetArrayLength());
        Assert.Equal("Auto", plan.RootElement.GetProperty("request").GetProperty("offload").GetString());
        Assert.Single(text.Trim().Split('\n'));
    }

    [Fact]
    public async Task Plan_WithRam_IsForTheProcessor()
    {
        (_, string text, _) = await RunAsync("--ram", "3GiB");
        Assert.Contains("processor", text, StringComparison.Ordinal);
        Assert.Contains("mapped", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_OfARequestThatCostsMoreOrLess_SaysWhy()
    {
        string[] request =
        [
            "--steps", "20", "--sampler", "heun", "--guidance-from", "0.2", "--guidance-to", "0.8", "--prompt-sets", "2",
            "--prompt-chunks", "4",
        ];
        (int code, string text, _) = await RunAsync(["--vram", "4GiB", .. request]);
        Assert.Equal(0, code);
        string[] expected =
        [
            "20 steps of 39 evaluations in all", "step without guidance", "15 of 39 steps are outside of the guidance interval",
            "12 runs of each text encoder and 308 tokens", "keys and values of 2 sets take",
        ];
        Assert.All(expected, part => Assert.Contains(part, text, StringComparison.Ordinal));
        (_, text, _) = await RunAsync("--vram", "4GiB", "--prompt-parts", "3");
        Assert.Contains("3 parts, so that every step has 4 rows", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--guidance-from", "2")]
    [InlineData("--guidance-to", "-1")]
    [InlineData("--guidance", "0.5")]
    [InlineData("--steps", "501", "--sampler", "heun")]
    public async Task Plan_OfARequestOutOfRange_SaysWhatIsExpected(params string[] arguments)
    {
        (int code, string text, string errors) = await RunAsync(arguments);
        Assert.Equal((1, ""), (code, text));
        Assert.Matches("^error: .*\n$", errors);
    }

    [Fact]
    public async Task Plan_WithABudgetThatCannotBeKept_SaysTheLeastThatDoes()
    {
        (int code, string text, string errors) = await RunAsync("--vram", "100MiB");
        Assert.Equal((1, ""), (code, text));
        Assert.Matches("^error: the budget is 100 MiB.* at least [0-9]+ MiB for 1024x1024 px.*\n$", errors);
    }

    [Theory]
    [InlineData("4", 4)]
    [InlineData("8", 5)]
    [InlineData("1", 1)]
    [InlineData("0", 5)]
    public async Task Plan_OfSeveralPictures_SaysHowManyAtATime(string batch, int expected)
    {
        // With plenty, all share what a step costs by itself, unless told otherwise.
        (_, string text, _) = await RunAsync("--vram", "40GiB", "--count", "5", "--batch", batch);
        Assert.Contains($"5 pictures, {expected} at a time", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_WithTheShortNamesOfRender_PlansTheSame()
    {
        (int code, string text, _) = await RunAsync("--vram", "8GiB", "-W", "512", "-H", "768", "-g", "1");
        Assert.Equal(0, code);
        Assert.Equal(text, (await RunAsync("--vram", "8GiB", "--width", "512", "--height", "768", "--guidance", "1")).Text);
    }

    [Theory]
    [InlineData("--batch", "9")]
    [InlineData("--batch", "-1")]
    [InlineData("--vram", "much")]
    [InlineData("--ram", "-1GiB")]
    [InlineData("--count", "0")]
    [InlineData("--prompt-parts", "9")]
    [InlineData("--prompt-sets", "65")]
    [InlineData("--sampler", "abacus")]
    [InlineData("--offload", "sideways")]
    [InlineData("--vram", "8GiB", "--ram", "4GiB")]
    public async Task Plan_OfBadArguments_IsBadUsage(params string[] arguments) => Assert.Equal(2, (await RunAsync(arguments)).Code);

    [Theory]
    [InlineData("sessions")]
    [InlineData("Sessions")]
    public async Task Plan_WithTheFormerWordForRotate_PlansTheSame(string former)
    {
        (int code, string text, _) = await RunAsync("--vram", "8GiB", "--json", "--offload", "rotate");
        Assert.Equal(0, code);
        Assert.Contains("\"offload\":\"Rotate\"", text, StringComparison.Ordinal);
        Assert.Equal((0, text), await PlanAsync(former));
        Assert.NotEqual(text, (await PlanAsync("stream")).Text);

        async Task<(int Code, string Text)> PlanAsync(string mode)
        {
            (int planned, string plan, _) = await RunAsync("--vram", "8GiB", "--json", "--offload", mode);
            return (planned, plan);
        }
    }

    [Fact]
    public async Task Plan_OfHelp_ShowsNoFormerWords()
    {
        MuseResult result = await Muse.RunAsync("plan", "--help");
        Assert.Contains("<auto|resident|stream|rotate>", result.Out, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Text, string Errors)> RunAsync(params string[] arguments)
    {
        using StringWriter output = new(), errors = new();
        int code = await MuseCommand.RunAsync(
            ["plan", "--model", Miniature, .. arguments], Terminal.Plain(output, errors, TestContext.Current.CancellationToken));
        return (code, output.ToString(), errors.ToString());
    }
}
