using System.Text.Json;
using MuseAtelier.Storms.Ateliers;
using MuseAtelier.Storms.Fuzzing;
using MuseAtelier.Storms.Processes;
using MuseAtelier.Storms.Requests;
using MuseAtelier.Storms.Running;
using MuseAtelier.Storms.Serving;
using MuseAtelier.Storms.Texts;
using MuseAtelier.Tests.Support;

// Storms must run one at a time, because they use the whole machine and count the allocations of the whole process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace MuseAtelier.Storms.Tests;

/// <summary>The short forms of all storms. The long forms are commands, which docs/storms.md describes.</summary>
public sealed class StormTests
{
    // The time limit allows for a busy machine.
    private const int SecondsWithoutProgress = 300;

    // Other tests run at the same time, so threads must not spin, and a model that paints in a third of the time shows the same. Its file
    // is called as the Miniature's, which the valid requests of a storm name. On a card the storms keep the Miniature.
    static StormTests()
    {
        StormDevices.Spins = false;
        if (StormDevice.Cuda.Problem() is null)
            return;
        string folder = Directory.CreateTempSubdirectory("muse-storms-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        string model = NarrowCheckpoint.Write(StormFolder.Miniature, Path.Combine(folder, "miniature.safetensors"));
        Environment.SetEnvironmentVariable(StormFolder.ModelVariable, model);
    }

    [Fact]
    public async Task Ateliers_OnAProcessor_PaintWhatEachPaintsAlone()
    {
        var report = new StormReport("ateliers");
        await AteliersStorm.RunAsync(
            new AteliersOptions
            {
                Count = 4,
                Requests = 2,
                Callers = 4,
                Seed = 3,
                HangSeconds = SecondsWithoutProgress,
                AloneHere = true,
            },
            report
        );
        RequirePassed(report);
        Assert.Equal(4, report.Count("turns.jobs"));
        Assert.Equal(4, report.Count("together.jobs"));
    }

    [Fact]
    public async Task Ateliers_OnACard_PaintWhatEachPaintsAlone()
    {
        StormDevice.Cuda.Require();
        var report = new StormReport("ateliers");
        await AteliersStorm.RunAsync(
            new AteliersOptions
            {
                Device = StormDevice.Cuda,
                Count = 30,
                Requests = 4,
                Seed = 4,
                HangSeconds = SecondsWithoutProgress,
            },
            report
        );
        RequirePassed(report);
        Assert.InRange(report.Count("pictures"), 30, long.MaxValue);
    }

    // In a process of its own: memory that other tests leave in this one would be counted.
    [Theory]
    [InlineData("cpu", "12", "30")]
    [InlineData("cuda", "12", "40")]
    public async Task Rounds_OfOpeningAndDisposing_DoNotGrow(string device, string rounds, string boundMib)
    {
        Require(device);
        ChildResult child = await SelfProcess.RunAsync(
            [.. SelfProcess.Command, "rounds", "--device", device, "--rounds", rounds, "--bound-mib", boundMib, "--steps", "1"],
            TimeSpan.FromMinutes(5));
        Assert.True(child.ExitCode == 0, child.Describe());
        using JsonDocument json = JsonDocument.Parse(child.Output);
        Assert.Equal(rounds, json.RootElement.GetProperty("counts").GetProperty("rounds").GetRawText());
    }

    // The bound only distinguishes a request that leaves the queue from one that waits for the long picture.
    [Theory]
    [InlineData("cpu")]
    [InlineData("cuda")]
    public async Task Cancel_OfQueuedRequests_ComesBackBeforeTheLongPictureEnds(string device)
    {
        StormDevice on = Require(device);
        var report = new StormReport("cancel");
        await CancelStorm.RunAsync(on, "auto", 3, 5000, 256, report);
        RequirePassed(report);
        Assert.Equal(3, report.Count("queuedMs.count"));
        Assert.Equal(3, report.Count("runningMs.count"));
    }

    // The bound is for a busy machine; the long form has the one that counts.
    [Theory]
    [InlineData("cpu")]
    [InlineData("cuda")]
    public async Task Callers_OfTwoAteliers_GetTheirPicturesOrEndSoonAfterTheyCancel(string device)
    {
        StormDevice on = Require(device);
        var report = new StormReport("callers");
        await CallersStorm.RunAsync(
            new CallersOptions
            {
                Device = on,
                Count = 14,
                Requests = 2,
                Callers = 8,
                BoundMilliseconds = 10_000,
                HangSeconds = SecondsWithoutProgress,
            },
            report
        );
        RequirePassed(report);
        Assert.Equal(14, report.Count("requests"));
        Assert.InRange(report.Count("cancelled.waiting"), 1, long.MaxValue);
        Assert.InRange(report.Count("cancelled.painting"), 1, long.MaxValue);
    }

    [Theory]
    [InlineData("cpu")]
    [InlineData("cuda")]
    public async Task Exits_OfProgramsThatEmbed_HaveCodeZero(string device)
    {
        StormDevice on = Require(device);
        var report = new StormReport("exits");
        await ExitsStorm.RunAsync(on, null, 4, 2, report);
        RequirePassed(report);
        Assert.Equal(2, report.Count("embed.exitCode.0"));
        Assert.Equal(2, report.Count("embedWithoutDispose.exitCode.0"));
    }

    [Fact]
    public async Task Server_KilledInTheMiddle_LosesNoAcceptedJobAndPaintsNoneTwice()
    {
        var report = new StormReport("server");
        await ServerStorm.RunAsync(
            new ServerStormOptions
            {
                Jobs = 6,
                Clients = 3,
                Readers = 3,
                HangSeconds = SecondsWithoutProgress,
            },
            report
        );
        RequirePassed(report);
        Assert.Equal(6, report.Count("accepted"));
        Assert.Equal(1, report.Count("kills"));
    }

    [Fact]
    public async Task Exports_OfSeveralProcessesIntoOneColdCache_AllPaintTheSame()
    {
        var report = new StormReport("exports");
        await ExportsStorm.RunAsync(StormDevice.Cpu, 1, 3, 2, report);
        RequirePassed(report);
        Assert.Equal(3, report.Count("processes"));
    }

    [Theory]
    [InlineData(".png")]
    [InlineData(".jpg")]
    [InlineData(".webp")]
    public async Task Writes_ToOneName_AreNeverSeenHalf(string extension)
    {
        var report = new StormReport("writes");
        await WritesStorm.RunAsync(
            new WritesOptions
            {
                Threads = 3,
                Processes = 2,
                Count = 30,
                NewNames = 10,
                Extension = extension,
            },
            report
        );
        RequirePassed(report);
        Assert.Equal(30 * 5, report.Count("writes"));
        Assert.InRange(report.Count("reads"), 1, long.MaxValue);
    }

    [Theory]
    [InlineData("manifests", 100)]
    [InlineData("records", 300)]
    [InlineData("checkpoints", 100)]
    [InlineData("references", 100)]
    [InlineData("pictures", 300)]
    [InlineData("parameters", 300)]
    [InlineData("tokens", 300)]
    [InlineData("loras", 100)]
    [InlineData("embeddings", 100)]
    [InlineData("torch", 300)]
    [InlineData("folders", 50)]
    public async Task Fuzz_OfEachTarget_IsReadOrRefusedByType(string target, int count)
    {
        var report = new StormReport("fuzz");
        await FuzzStorm.RunAsync(
            new FuzzOptions
            {
                Target = target,
                Count = count,
                Seed = 14,
                Use = 2,
                BoundsTime = false,
            },
            report
        );
        RequirePassed(report);
        Assert.Equal(count, report.Count("inputs"));
        // The valid input must be read, and not all damaged ones may be.
        Assert.InRange(report.Count("outcome.read"), 1, target == "tokens" ? count : count - 1);
    }

    // The seed and the number must suffice to reproduce an input.
    [Fact]
    public async Task Fuzz_OfOneInput_IsTheSameAsInTheWholeRun()
    {
        const int inputs = 12;
        var whole = new StormReport("fuzz");
        await FuzzStorm.RunAsync(
            new FuzzOptions
            {
                Target = "records",
                Count = inputs,
                Seed = 3,
                Use = 0,
                BoundsTime = false,
            },
            whole
        );
        long read = 0;
        for (int i = 0; i < inputs; i++)
        {
            var one = new StormReport("fuzz");
            await FuzzStorm.RunAsync(
                new FuzzOptions
                {
                    Target = "records",
                    Count = inputs,
                    Seed = 3,
                    Use = 0,
                    Only = i,
                    BoundsTime = false,
                },
                one
            );
            read += one.Count("outcome.read");
        }

        Assert.Equal(whole.Count("outcome.read"), read);
    }

    [Fact]
    public async Task Requests_ToEveryRoute_AreAnsweredWithoutAFailureOfTheServer()
    {
        var report = new StormReport("requests");
        await RequestsStorm.RunAsync(
            new RequestsOptions
            {
                Count = 400,
                Seed = 18,
                AnswerSeconds = SecondsWithoutProgress,
            },
            report
        );
        RequirePassed(report);
        Assert.Equal(400, report.Count("requests"));
        // Valid requests must be fulfilled, and damaged ones refused.
        Assert.InRange(report.Count("status.200"), 1, 399);
        Assert.InRange(report.Count("status.400"), 1, 399);
    }

    [Fact]
    public async Task Tokens_OfLongTextsOfAllScripts_TakeBoundedMemory()
    {
        var report = new StormReport("tokens");
        await TokensStorm.RunAsync(1_000_000, 0, 64, report);
        RequirePassed(report);
    }

    // A report must show the findings: a picture that differs, and a file that no writer wrote.
    [Fact]
    public void Report_OfAFailure_DoesNotPassAndListsTheFailure()
    {
        var report = new StormReport("ateliers");
        var picture = new PictureDigest("a", "b");
        Assert.Null(picture.DifferenceTo(new PictureDigest("a", "b")));
        Assert.Equal("the same latents, other pixels", picture.DifferenceTo(new PictureDigest("a", "c")));
        report.Fail("wrong", "turns 1", picture.DifferenceTo(new PictureDigest("c", "b"))!);
        Assert.False(report.Passed);
        using JsonDocument json = JsonDocument.Parse(report.ToJson());
        Assert.False(json.RootElement.GetProperty("passed").GetBoolean());
        Assert.Equal(1, json.RootElement.GetProperty("counts").GetProperty("wrong").GetInt64());
        Assert.Equal("other latents", json.RootElement.GetProperty("failures")[0].GetProperty("what").GetString());
    }

    private static StormDevice Require(string device)
    {
        StormDevice on = Enum.Parse<StormDevice>(device, ignoreCase: true);
        on.Require();
        return on;
    }

    private static void RequirePassed(StormReport report) => Assert.True(report.Passed, report.ToString());
}
