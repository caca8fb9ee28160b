using MuseAtelier.Cuda.Devices;
using MuseAtelier.Format;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Cuda;

public sealed class StageMemoryTests
{
    private static readonly ComponentSpec UNet = FullSizeModel.Cuda.Component(ComponentNames.UNet);

    [Fact]
    public void OfStages_WithoutAPlan_AreAllResident()
    {
        StageMemory?[] stages = StageMemory.OfStages(UNet, null);
        Assert.Equal(UNet.Stages.Select(stage => stage.WeightRange), stages.Select(stage => stage?.Range));
        Assert.Contains(null, stages);
        Assert.All(stages.OfType<StageMemory>(), stage => Assert.Equal(StagePlacement.Resident, stage.Placement));
    }

    [Fact]
    public void OfStages_OfAPlanOfEveryPlace_FollowIt()
    {
        StagePlacement[] places = [StagePlacement.Resident, StagePlacement.SwappedOut, StagePlacement.Streamed, StagePlacement.Staged];
        var plan = new ComponentPlan(
            UNet.Name, [.. UNet.Stages.Select((stage, i) => new StagePlan(stage.Name, places[i % places.Length], 0))]);
        StageMemory?[] stages = StageMemory.OfStages(UNet, plan);
        for (int i = 0; i < stages.Length; i++)
        {
            if (UNet.Stages[i].Weights.Count == 0) Assert.Null(stages[i]);
            else Assert.Equal(places[i % places.Length], stages[i]!.Placement);
        }

        Assert.Equal(places.Order(), stages.OfType<StageMemory>().Select(stage => stage.Placement).Distinct().Order());
    }

    [Fact]
    public void Address_OfEachWeight_FollowsItsPlaceInTheRange()
    {
        for (int i = 0; i < UNet.Stages.Count; i++)
        {
            if (StageMemory.OfStages(UNet, null)[i] is not { } stage) continue;
            stage.Device = 1 << 20;
            foreach (WeightSpec weight in UNet.Stages[i].Weights)
            {
                long offset = stage.Address(weight) - stage.Device;
                Assert.InRange(offset, 0, stage.Bytes - weight.Bytes);
                Assert.Equal(weight.Offset - stage.Range.Offset, offset);
            }
        }
    }
}
