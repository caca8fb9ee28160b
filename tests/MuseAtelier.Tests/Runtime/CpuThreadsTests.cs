using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using MuseAtelier.Cpu;
using MuseAtelier.Pictures;
using MuseAtelier.Runtime;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Cli;
using MuseAtelier.Tests.Environments;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Runtime;

/// <summary>How many threads paint, which a picture's last bits depend on, and what its record and its notices say of them.</summary>
public sealed class CpuThreadsTests(NarrowAtelier narrow)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, 2, 64, 2, null)]
    [InlineData(0, 7, 64, 2, null)]
    [InlineData(2, 2, 64, 2, null)]
    [InlineData(1, 1, 64, 2, null)]
    [InlineData(8, 8, 64, 2, "8 threads run on 2 processors; that is not faster than 2, and gives the last bits of a machine with 8.")]
    [InlineData(1000, 64, 64, 2, "1000 threads were asked for, and at most 64 are taken: 64 run; that is not faster than 2, "
        + "and gives the last bits of a machine with 64.")]
    [InlineData(200, 128, 128, 128, "200 threads were asked for, and at most 128 are taken: 128 run.")]
    [InlineData(8, 2, 64, 2, "8 threads were asked for, and 2 run: the first atelier of this process made the pool of threads, "
        + "which all share. Another process can run 8.")]
    public void Notices_OfThreads_SayWhatDiffersFromWhatWasAsked(int asked, int running, int most, int processors, string? notice) =>
        Assert.Equal(notice is null ? [] : [notice], CpuThreads.Notices(asked, running, most, processors));

    [Fact]
    public void MaySpin_OfMoreThreadsThanProcessors_IsFalse() =>
        Assert.Equal((true, true, false), (CpuThreads.MaySpin(1, 2), CpuThreads.MaySpin(2, 2), CpuThreads.MaySpin(3, 2)));

    // The tests' own options ask for a pool that does not spin. The pool of muse is the usual one: its pictures are compared below.
    [Fact]
    public void Create_WithoutSpinning_MakesAPoolWhoseThreadsSleep() =>
        Assert.Equal((Environment.ProcessorCount, false), (OnnxEnvironment.SharedThreads, OnnxEnvironment.Spins));

    // In a process of its own, whose pool spins.
    [Fact]
    public async Task Render_ByAPoolThatSpins_PaintsTheBytesOfOneThatDoesNot()
    {
        using var folder = new TemporaryFolder();
        string[] size = ["-W", "256", "-H", "256", "--steps", "1", "--seed", "7"];
        (int code, _, string error) = await RunAsync(
            ["render", TestAtelier.Small.Prompt, .. size, "--device", "cpu", "--out", folder["a.png"]]);
        Assert.True(code == 0, error);
        Picture ours = await narrow.ReferenceAsync(TestAtelier.Small with { Steps = 1 });
        PictureRecord record = PictureFile.Read(folder["a.png"]).ReadRecord();
        Assert.Equal(PictureRecord.Of(ours, new RecordedEncoding(PictureFormat.Png)).Hashes.Pixels, record.Hashes.Pixels);
    }

    // All ateliers of a process share one pool of threads: the record has to name those, and not what the second one asked for.
    [Fact]
    public async Task GenerateAsync_OfASecondAtelierWithOtherThreads_RecordsThoseThatRanWithANotice()
    {
        Picture first = await narrow.ReferenceAsync(TestAtelier.Small);
        int threads = PictureRecord.Of(first, new RecordedEncoding(PictureFormat.Png)).Engine.Threads!.Value, other = threads + 1;
        Assert.Equal(Environment.ProcessorCount, threads);
        AtelierOptions options = TestAtelier.Options with { Backend = CpuBackend.Create(other) };
        await using Atelier atelier = await Atelier.OpenAsync(NarrowAtelier.Checkpoint, options, cancellationToken: Stop);
        Picture second = await atelier.GenerateAsync(TestAtelier.Small, cancellationToken: Stop);
        Assert.Equal(first.Provenance.Device, second.Provenance.Device);
        Assert.Equal(first.Pixels.ToArray(), second.Pixels.ToArray());
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"{other} threads were asked for, and {threads} run"),
            Assert.Single(second.Notices), StringComparison.Ordinal);
        Assert.Empty((await narrow.Atelier.GenerateAsync(TestAtelier.Small with { Steps = 1 }, cancellationToken: Stop)).Notices);
    }

    // In processes of their own: in this one the pool is there already.
    [Fact]
    public async Task Verify_OfAPictureOfAnotherNumberOfThreads_PaintsWithThatMany()
    {
        using var folder = new TemporaryFolder();
        string picture = folder["sea.png"];
        (int code, string output, string error) =
            await RunAsync("render", "sea", "-W", "256", "-H", "256", "--steps", "2", "--seed", "5", "--threads", "5", "--device", "cpu",
                "--out", picture, "--json");
        Assert.True(code == 0, error);
        Assert.EndsWith("processor, 5 threads", JsonNode.Parse(output)!["device"]!.GetValue<string>(), StringComparison.Ordinal);
        (code, output, error) = await RunAsync("verify", picture);
        Assert.True(code == 0 && output.Contains("same bytes", StringComparison.Ordinal), output + error);
        Assert.Equal(0, (await RunAsync("replay", picture, "--out", folder["again.png"])).Code);
        Assert.Equal(File.ReadAllBytes(picture), File.ReadAllBytes(folder["again.png"]));

        (code, output, _) = await RunAsync("verify", picture, "--threads", "1", "--json");
        JsonNode report = JsonNode.Parse(output)!;
        Assert.Contains("another number of threads sums in another order", report["changes"]!.ToJsonString(), StringComparison.Ordinal);
        // Whether the last bits really differ is up to the processor's kernels.
        Assert.Equal(report["holds"]!.GetValue<bool>() ? 0 : 1, code);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])[Path.Combine(AppContext.BaseDirectory, "muse.dll"), .. arguments, "--cache", Muse.Cache])
            start.ArgumentList.Add(argument);
        start.Environment[MuseProcess.ModelVariable] = NarrowAtelier.Checkpoint;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(Stop), error = process.StandardError.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop);
        return (process.ExitCode, await output, await error);
    }
}
