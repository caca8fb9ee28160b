using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Format;
using MuseAtelier.Residency;
using MuseAtelier.Runtime;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Runtime;

public sealed class SessionRotationTests(NarrowAtelier shared)
{
    private readonly Lock _lock = new();
    private readonly List<string> _made = [];
    private readonly string _package = shared.Atelier.Model.Package;
    private readonly ComponentSpec _component = PackageManifest.Read(shared.Atelier.Model.Package).Component(ComponentNames.UNet);

    [Fact]
    public void Take_OverTwoRounds_HoldsTwoPairsAtMostAndMakesEachAnew()
    {
        StageSpec[] stages = [.. _component.Stages.Where(SessionWeights.Rotates)];
        Assert.True(stages.Length > 4);
        using var turns = new SessionRotation(_component, Make);
        for (int round = 0; round < 2; round++)
        {
            foreach (StageSpec stage in stages)
            {
                Assert.Contains("x0", turns.Take(stage, isLastRound: round == 1).InputMetadata.Keys);
                Assert.InRange(turns.Count, 1, 4);
                turns.Return(stage);
            }
        }

        Assert.Equal(0, turns.Count);
        Assert.Equal([.. stages.Select(stage => stage.Name), .. stages.Select(stage => stage.Name)], _made);
    }

    [Fact]
    public void Take_MakesTheNextPairWhileThisOneIsUsed()
    {
        StageSpec[] stages = [.. _component.Stages.Where(SessionWeights.Rotates)];
        using var turns = new SessionRotation(_component, Make);
        turns.Take(stages[0], isLastRound: false);
        Assert.Equal(4, turns.Count);
        SpinWait.SpinUntil(() => { lock (_lock) return _made.Count == 4; }, TimeSpan.FromSeconds(30));
        lock (_lock) Assert.Equal(stages.Take(4).Select(stage => stage.Name), _made);
        turns.Return(stages[0]);
    }

    [Fact]
    public void Rest_InTheMiddleOfARound_ReleasesAllAndANewRoundBeginsAnew()
    {
        StageSpec[] stages = [.. _component.Stages.Where(SessionWeights.Rotates)];
        using var turns = new SessionRotation(_component, Make);
        turns.Take(stages[0], isLastRound: false);
        turns.ReleaseIdle();
        Assert.Equal(0, turns.Count);
        turns.Take(stages[0], isLastRound: true);
        turns.Return(stages[0]);
        lock (_lock) Assert.Equal(2, _made.Count(name => name == stages[0].Name));
    }

    [Fact]
    public void Take_OfASessionThatCannotBeMade_FailsAndRestsAfterwards()
    {
        StageSpec[] stages = [.. _component.Stages.Where(SessionWeights.Rotates)];
        using var turns = new SessionRotation(_component, static stage =>
            throw new InferenceException(stage.Name, "no room", new IOException()));
        Assert.Equal(stages[0].Name, Assert.Throws<InferenceException>(() => turns.Take(stages[0], isLastRound: false)).Part);
        turns.ReleaseIdle();
        Assert.Equal(0, turns.Count);
    }

    private InferenceSession Make(StageSpec stage)
    {
        var session = new InferenceSession(Path.Combine(_package, stage.Graph));
        lock (_lock) _made.Add(stage.Name);
        return session;
    }
}
