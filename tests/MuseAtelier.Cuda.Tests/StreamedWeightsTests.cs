using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Tests;

public sealed class StreamedWeightsTests
{
    private const int Runs = 4;

    private static readonly PictureShape Shape = new(2, 32, 32, 1);

    [Theory]
    [InlineData("all streamed")]
    [InlineData("every other streamed")]
    [InlineData("all staged")]
    [InlineData("streamed and staged")]
    public void Run_OfStreamedWeights_EqualsResident(string placement)
    {
        float[] expected = Resident();
        using var rig = new CudaRig();
        rig.PlaceUNet(i => placement switch
        {
            "all streamed" => StagePlacement.Streamed,
            "every other streamed" => i % 2 == 0 ? StagePlacement.Streamed : StagePlacement.Resident,
            "all staged" => StagePlacement.Staged,
            _ => i % 2 == 0 ? StagePlacement.Streamed : StagePlacement.Staged,
        });
        using ComponentRunner runner = rig.Runner(ComponentNames.UNet, Shape);
        AssertShareAddresses(rig);
        for (int i = 0; i < Runs; i++) Assert.InRange(CudaRig.RelativeError(rig.Run(runner, "noise"), expected), 0, 1e-5);
    }

    [Theory]
    [InlineData("all swapped out")]
    [InlineData("swapped out and streamed")]
    public void Run_AfterSwapOut_EqualsResidentAndAllocatesNothing(string placement)
    {
        float[] expected = Resident();
        using var rig = new CudaRig();
        rig.PlaceUNet(i => placement == "all swapped out" || i % 2 == 0 ? StagePlacement.SwappedOut : StagePlacement.Streamed);
        using ComponentRunner runner = rig.Runner(ComponentNames.UNet, Shape);
        using RunOptions options = rig.Device.CreateRunOptions();
        StageWeights weights = rig.Sessions.Weights(rig.Component(ComponentNames.UNet));
        for (int i = 0; i < Runs; i++)
        {
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            runner.Run(options, TestContext.Current.CancellationToken);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            // The first run waits for the load and compiles code.
            if (i > 0) Assert.Equal(0, allocated);
            Assert.InRange(CudaRig.RelativeError(rig.Read(runner, "noise"), expected), 0, 1e-5);
            Assert.InRange(CudaRig.RelativeError(rig.Run(runner, "noise"), expected), 0, 1e-5);
            long before = rig.Device.FreeBytes()!.Value;
            weights.SwapOut();
            weights.SwapOut();
            Assert.True(rig.Device.FreeBytes() > before, "swapping out freed no device memory");
        }
    }

    [Fact]
    public void Run_OfTwoComponentsThatStream_FindsEachItsOwn()
    {
        float[] expected = Resident();
        using var rig = new CudaRig();
        rig.PlaceUNet(_ => StagePlacement.Streamed);
        rig.Place(ComponentNames.CrossAttention, _ => StagePlacement.Streamed);
        using ComponentRunner runner = rig.Runner(ComponentNames.UNet, Shape), other = rig.Runner(ComponentNames.CrossAttention, Shape);
        using RunOptions options = rig.Device.CreateRunOptions();
        for (int i = 0; i < Runs; i++)
        {
            other.Run(options, TestContext.Current.CancellationToken);
            Assert.InRange(CudaRig.RelativeError(rig.Run(runner, "noise"), expected), 0, 1e-5);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_AfterOneThatWasBrokenOff_EqualsResident(bool staged)
    {
        float[] expected = Resident();
        using var rig = new CudaRig();
        rig.PlaceUNet(_ => staged ? StagePlacement.Staged : StagePlacement.Streamed);
        using ComponentRunner runner = rig.Runner(ComponentNames.UNet, Shape);
        StageWeights weights = rig.Sessions.Weights(rig.Component(ComponentNames.UNet));
        List<int> transformers =
            [.. rig.Component(ComponentNames.UNet).Stages.Index().Where(stage => stage.Item.Weights.Count > 0)
                .Select(stage => stage.Index)];
        rig.Run(runner, "noise");
        for (int broken = 1; broken < transformers.Count; broken++)
        {
            // As a run that ends in the middle leaves it.
            foreach (int stage in transformers.Take(broken))
            {
                weights.BeforeStage(stage);
                weights.AfterStage(stage);
            }

            // And as one leaves it that fails in a stage.
            weights.BeforeStage(transformers[broken]);

            Assert.InRange(CudaRig.RelativeError(rig.Run(runner, "noise"), expected), 0, 1e-5);
        }
    }

    [Fact]
    public void Run_AfterItsWeightsCouldNotBeOpened_EqualsResident()
    {
        float[] expected = Resident();
        using var rig = new CudaRig();
        rig.PlaceUNet(_ => StagePlacement.Staged);
        using ComponentRunner runner = rig.Runner(ComponentNames.UNet, Shape);
        string file = Path.Combine(
            rig.Package.Folder, rig.Component(ComponentNames.UNet).Stages.First(stage => stage.Weights.Count > 0).Weights[0].File);
        string aside = file + ".aside";
        File.Move(file, aside);
        try
        {
            for (int i = 0; i < 2; i++) Assert.Throws<FileNotFoundException>(() => rig.Run(runner, "noise"));
        }
        finally
        {
            File.Move(aside, file);
        }

        Assert.InRange(CudaRig.RelativeError(rig.Run(runner, "noise"), expected), 0, 1e-5);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Run_Captured_EqualsPlain(bool streamed)
    {
        float[] expected = Resident();
        using var rig = new CudaRig(new CudaOptions { CaptureSteps = true });
        rig.PlaceUNet(_ => streamed ? StagePlacement.Streamed : StagePlacement.Resident);
        AssertCapturedRunsEqual(rig, expected, releasesBetween: false);
    }

    // A captured run knows addresses: what was given up must lie there again before it is repeated.
    [Theory]
    [InlineData("all swapped out")]
    [InlineData("swapped out and streamed")]
    [InlineData("all streamed")]
    public void Run_CapturedBeforeSwappingOut_EqualsResident(string placement)
    {
        float[] expected = Resident();
        using var rig = new CudaRig(new CudaOptions { CaptureSteps = true });
        rig.PlaceUNet(i =>
            placement == "all swapped out" || (placement == "swapped out and streamed" && i % 2 == 0) ? StagePlacement.SwappedOut
                : StagePlacement.Streamed);
        AssertCapturedRunsEqual(rig, expected, releasesBetween: true);
    }

    private static void AssertCapturedRunsEqual(CudaRig rig, float[] expected, bool releasesBetween)
    {
        using ComponentRunner runner = rig.Runner(ComponentNames.UNet, Shape);
        using var step = new StepCapture(runner, rig.Sessions, rig.Device);
        using RunOptions options = rig.Device.CreateRunOptions();
        for (int i = 0; i < 3 * Runs; i++)
        {
            rig.Poison(runner.Address("noise"), runner.Size("noise"));
            step.Run(options, isLastRound: false, TestContext.Current.CancellationToken);
            Assert.InRange(CudaRig.RelativeError(rig.Read(runner, "noise"), expected), 0, 1e-5);
            if (releasesBetween && i % 2 == 1) rig.Sessions.ReleaseIdle();
        }

        Assert.True(rig.Device.CapturesRuns, "The capture failed, and steps were run plainly.");
        Assert.True(step.IsCaptured);
    }

    // Weights that share an address must be copied between their runs. Resident ones never do.
    private static void AssertShareAddresses(CudaRig rig)
    {
        ComponentSpec unet = rig.Component(ComponentNames.UNet);
        StageWeights weights = rig.Sessions.Weights(unet);
        List<nint> addresses =
            [.. unet.Stages.Index().Where(stage => stage.Item.Weights.Count > 0)
                .Select(stage => weights.Address(stage.Index, stage.Item.Weights[0]))];
        Assert.True(addresses.Distinct().Count() < addresses.Count, "No two stages share a place in the buffer: nothing was streamed.");
    }

    private static float[] Resident()
    {
        using var rig = new CudaRig();
        using ComponentRunner runner = rig.Runner(ComponentNames.UNet, Shape);
        return rig.Run(runner, "noise");
    }
}
