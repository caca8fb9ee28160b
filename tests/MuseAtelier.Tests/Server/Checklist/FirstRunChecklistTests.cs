using MuseAtelier.Cuda;
using MuseAtelier.Server;
using MuseAtelier.Server.Checklist;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Server.Checklist;

public sealed class FirstRunChecklistTests
{
    private static readonly string[] Keys = ["model", "precision", "sanctum", "device", "speed", "gallery"];

    [Fact]
    public void Run_OnAProcessor_SaysWhatACardWouldDo()
    {
        IReadOnlyList<ChecklistLine> lines = FirstRunChecklist.Run(Subject(TestAtelier.Options));
        Assert.Equal(Keys, lines.Select(line => line.Key));
        Assert.Equal(["precision", "speed"], lines.Where(line => !line.IsDone).Select(line => line.Key));
        Assert.All(lines, line => Assert.Equal(line.IsDone, line.Remedy is null));
        Assert.Contains("UNet fp32", lines[1].Finding, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OnACard_IsDone()
    {
        AtelierOptions options = TestAtelier.Options with { Backend = CudaBackend.Create(), DeviceMemory = 8L << 30 };
        IReadOnlyList<ChecklistLine> lines = FirstRunChecklist.Run(Subject(options) with { SecondsToOpen = 4.2 });
        Assert.All(lines, line => Assert.True(line.IsDone, line.Finding));
        Assert.Contains("text encoders fp32, UNet fp16, VAE fp16", lines[1].Finding, StringComparison.Ordinal);
        Assert.Contains("8 GiB (declared)", lines[2].Finding, StringComparison.Ordinal);
        Assert.Contains("after about 5 s", lines[4].Finding, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_WhereOpeningTakesLong_IsNotFastEnough()
    {
        AtelierOptions options = TestAtelier.Options with { Backend = CudaBackend.Create() };
        ChecklistLine speed = FirstRunChecklist.Run(Subject(options) with { SecondsToOpen = 40 })[4];
        Assert.False(speed.IsDone);
        Assert.NotNull(speed.Remedy);
    }

    [Fact]
    public void Run_WithTooSmallABudget_NamesTheLeastOne()
    {
        IReadOnlyList<ChecklistLine> lines = FirstRunChecklist.Run(Subject(TestAtelier.Options with { HostMemory = 100L << 20 }));
        Assert.False(lines[2].IsDone);
        Assert.Contains("100 MiB", lines[2].Finding, StringComparison.Ordinal);
        Assert.Contains("--ram", lines[2].Remedy, StringComparison.Ordinal);
        Assert.False(lines[4].IsDone);
    }

    [Fact]
    public void Run_WithoutAModelAndWithADeviceThatFails_SaysBoth()
    {
        string missing = Path.Combine(TestAtelier.Options.CacheFolder!, "missing.safetensors");
        IReadOnlyList<ChecklistLine> lines = FirstRunChecklist.Run(Subject(TestAtelier.Options) with
        {
            Model = missing,
            Device = new DeviceFinding { Device = "a card", IsCard = true, Problem = "the driver is old", Remedy = "Install another." },
            Gallery = Path.Combine(TestAtelier.Checkpoint, "pictures"),
        });
        Assert.Equal(Keys, lines.Where(line => !line.IsDone).Select(line => line.Key));
        Assert.All(lines, line => Assert.NotNull(line.Remedy));
        Assert.Contains("missing.safetensors", lines[0].Finding, StringComparison.Ordinal);
        Assert.Equal(("The driver is old.", "Install another."), (lines[3].Finding, lines[3].Remedy));
        Assert.Contains("is a file", lines[5].Finding, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OfAnyMachine_HasCodesOfTheDocumentation()
    {
        string documented = File.ReadAllText(Path.Combine(GoldenFiles.Root, "docs", "http-api.md"));
        ChecklistSubject usual = Subject(TestAtelier.Options);
        ChecklistSubject[] subjects =
        [
            usual, usual with { Model = null }, usual with { Model = "missing.safetensors" },
            Subject(TestAtelier.Options with { HostMemory = 100L << 20 }),
            usual with { Gallery = Path.Combine(TestAtelier.Checkpoint, "pictures") },
        ];
        foreach (ChecklistLine line in subjects.SelectMany(FirstRunChecklist.Run))
        {
            Assert.Contains($"`{line.Code}`", documented, StringComparison.Ordinal);
            Assert.Equal(line.Remedy is null, line.RemedyCode is null);
            if (line.RemedyCode is { } remedy) Assert.Contains($"`{remedy}`", documented, StringComparison.Ordinal);
            Assert.All(line.Arguments.Keys, name => Assert.Contains($"`{name}`", documented, StringComparison.Ordinal));
        }
    }

    private static ChecklistSubject Subject(AtelierOptions options) => new()
    {
        Model = TestAtelier.Checkpoint,
        Atelier = options,
        Device = DeviceFinding.Of(options),
        Gallery = TestAtelier.Options.CacheFolder!,
    };
}
