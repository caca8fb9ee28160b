using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Runtime;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Runtime;

/// <summary>Not beside other tests, which use the same arena.</summary>
[CollectionDefinition(nameof(ArenaTrimmerTests), DisableParallelization = true)]
[Collection(nameof(ArenaTrimmerTests))]
public sealed class ArenaTrimmerTests(NarrowAtelier narrow)
{
    [Fact]
    public void Empty_OfAnArenaThatHoldsWhatNobodyUses_GivesItBack()
    {
        const long bytes = 1 << 30;
        using ModelPackage package = TestAtelier.Options.OpenPackage(
            narrow.Atelier.Model.Package, null, TestContext.Current.CancellationToken);
        using ExecutionDevice device = TestAtelier.Options.Backend.Open(
            package, TestAtelier.Options, TestContext.Current.CancellationToken);
        using SessionOptions options = device.CreateSessionOptions(default);
        StageSpec stage = package.Manifest.Component(ComponentNames.PostProcessing).Stages[0];
        using var session = new InferenceSession(package.Graph(stage), options);
        device.ArenaStatistics!.FindBy(session);
        ArenaTrimmer.Empty(device);
        long before = device.ArenaStatistics.Read()!.Value.Held;
        using (var arena = new OrtAllocator(session, device.Memory)) arena.Allocate((uint)bytes).Dispose();
        Assert.InRange(device.ArenaStatistics.Read()!.Value.Held, before + bytes, long.MaxValue);

        ArenaTrimmer.Empty(device);

        Assert.Equal(before, device.ArenaStatistics.Read()!.Value.Held);
    }
}
