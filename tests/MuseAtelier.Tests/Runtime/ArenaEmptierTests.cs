using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Runtime;

/// <summary>Not beside other tests, which use the same arena.</summary>
[CollectionDefinition(nameof(ArenaEmptierTests), DisableParallelization = true)]
[Collection(nameof(ArenaEmptierTests))]
public sealed class ArenaEmptierTests(TestAtelier miniature)
{
    [Fact]
    public void Empty_OfAnArenaThatHoldsWhatNobodyUses_GivesItBack()
    {
        const long bytes = 1 << 30;
        using ModelPackage package = ModelPackage.OpenFor(miniature.Atelier.Model.Package, TestAtelier.Options, null, TestContext.Current.CancellationToken);
        using ExecutionDevice device = TestAtelier.Options.Backend.Open(package, TestAtelier.Options, TestContext.Current.CancellationToken);
        using SessionOptions options = device.CreateSessionOptions(default);
        using var session = new InferenceSession(package.Graph(package.Manifest.Component(ComponentNames.Finishing).Stages[0]), options);
        device.ArenaCounter!.FindBy(session);
        ArenaEmptier.Empty(device);
        long before = device.ArenaCounter.Read()!.Value.Held;
        using (var arena = new OrtAllocator(session, device.Memory)) arena.Allocate((uint)bytes).Dispose();
        Assert.InRange(device.ArenaCounter.Read()!.Value.Held, before + bytes, long.MaxValue);

        ArenaEmptier.Empty(device);

        Assert.Equal(before, device.ArenaCounter.Read()!.Value.Held);
    }
}
