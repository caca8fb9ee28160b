using MuseAtelier.Cuda.Devices;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Loras;
using MuseAtelier.Format;
using MuseAtelier.Runtime;
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
    public void Parts_WithLoras_CoverTheStageAndHoldEachChangedWeightAlone()
    {
        const long pieceBytes = 3 << 20;
        AppliedLoras loras = Applied();
        int changed = 0;
        foreach ((StageSpec spec, StageMemory? stage) in UNet.Stages.Zip(StageMemory.OfStages(UNet, null)))
        {
            if (stage is null) continue;
            long next = 0;
            foreach (StagePart part in stage.Parts(loras, pieceBytes))
            {
                Assert.Equal(next, part.Offset);
                next += part.Bytes;
                Assert.Equal(part.Changed is null ? [] : [part.Changed], stage.ChangedIn(part, loras));
                if (part.Changed is null) Assert.InRange(part.Bytes, 1, pieceBytes);
                else Assert.Equal(part.Changed.Range, part.Within(stage.Range));
                changed += part.Changed is null ? 0 : 1;
            }

            Assert.Equal(stage.Bytes, next);
            var whole = new StagePart(0, stage.Bytes, null);
            Assert.Equal(spec.Weights.Where(loras.Touches), stage.ChangedIn(whole, loras));
            Assert.All(stage.Parts(null, pieceBytes), part => Assert.Null(part.Changed));
        }

        // Every transformer block has several products.
        Assert.True(changed > 400, $"{changed} weights");
    }

    [Fact]
    public void Parts_OfASwitch_AreTheBytesOfTheWeightsThatEitherChanges()
    {
        const long pieceBytes = 3 << 20;
        AppliedLoras loras = Applied();
        foreach ((StageSpec spec, StageMemory? stage) in UNet.Stages.Zip(StageMemory.OfStages(UNet, null)))
        {
            if (stage is null) continue;
            WeightRange[] changed = [.. spec.Weights.Where(loras.Touches).Select(weight => weight.Range)];
            StagePart[] back = [.. stage.Parts(null, pieceBytes, AppliedLoras.LeftAlone(loras, null))];
            StagePart[] there = [.. stage.Parts(loras, pieceBytes, AppliedLoras.LeftAlone(null, loras))];
            WeightRange[] kept = [.. spec.Weights.Where(weight => !loras.Touches(weight)).Select(weight => weight.Range)];
            Assert.All(back, part => Assert.DoesNotContain(kept, range => Overlap(part.Within(stage.Range), range)));
            Assert.Equal(changed.Sum(range => range.Length), back.Sum(part => part.Bytes));
            Assert.Equal(changed, there.Select(part => part.Within(stage.Range)));
        }

        static bool Overlap(WeightRange part, WeightRange range) => part.Offset < range.End && range.Offset < part.End;
    }

    private static AppliedLoras Applied()
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("muse-").FullName, "lora.safetensors");
        try
        {
            IReadOnlyList<KeyValuePair<string, IReadOnlyList<long>>> checkpoint =
                RandomCheckpoint.ReadShapes(Path.Combine(GoldenFiles.Folder, "sdxl_keys.json"));
            RandomCheckpoint.Write(
                path, RandomLora.Shapes(checkpoint, 1, convolutions: false), cancellationToken: TestContext.Current.CancellationToken);
            using var file = LoraFile.Open(path);
            return new AppliedLoras(null!, LoraSet.Of(FullSizeModel.Cuda.Manifest, [new LoraUse(file, 1, 1)]));
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
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
