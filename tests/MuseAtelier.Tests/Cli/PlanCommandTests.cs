using System.CommandLine;
using System.Text.Json;
using MuseAtelier.Cli.Commands;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Cli;

public sealed class PlanCommandTests
{

    private static readonly string Miniature = Path.Combine(GoldenFiles.Root, "models", "miniature", "miniature.safetensors");

    [Fact]
    public void Plan_OfACheckpoint_PrintsATableOfItsPhases()
    {
        string text = Run("--vram", "4GiB", "--model", Miniature);
        Assert.All((string[])["text", "conditioning", "denoising", "decoding", "sum", "picture", "The denoising network stays"], part => Assert.Contains(part, text, StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_AsJson_IsOneObjectThatKeepsTheBudget()
    {
        string text = Run("--vram", "2GiB", "--width", "512", "--height", "768", "--json");
        using JsonDocument plan = JsonDocument.Parse(text);
        Assert.Equal(2L << 30, plan.RootElement.GetProperty("request").GetProperty("budget").GetInt64());
        Assert.InRange(plan.RootElement.GetProperty("peakBytes").GetInt64(), 1, 2L << 30);
        Assert.Equal(4, plan.RootElement.GetProperty("phases").GetArrayLength());
        Assert.Single(text.Trim().Split('\n'));
    }

    [Fact]
    public void Plan_WithRam_IsForTheProcessor() => Assert.Contains("mapped", Run("--ram", "3GiB"), StringComparison.Ordinal);

    [Fact]
    public void Plan_WithABudgetThatCannotBeKept_IsRefused() => Assert.Throws<BudgetTooSmallException>(() => Run("--vram", "100MiB"));

    [Theory]
    [InlineData("--vram", "much")]
    [InlineData("--vram", "4GiB", "--ram", "3GiB")]
    [InlineData("--count", "0")]
    [InlineData("--offload", "sideways")]
    public void Plan_OfBadArguments_IsBadUsage(params string[] arguments) => Assert.NotEmpty(Command().Parse(arguments).Errors);

    private static Command Command() => PlanCommand.Create(() => Miniature);

    private static string Run(params string[] arguments)
    {
        using var output = new StringWriter();
        ParseResult parsed = Command().Parse(arguments);
        Assert.Empty(parsed.Errors);
        Assert.Equal(0, parsed.Invoke(new InvocationConfiguration { Output = output, EnableDefaultExceptionHandler = false }));
        return output.ToString();
    }
}
