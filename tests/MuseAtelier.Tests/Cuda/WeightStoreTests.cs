using MuseAtelier.Cuda.Devices;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Tests.Cuda;

public sealed class WeightStoreTests
{
    private const long KiB = 1 << 10;

    private readonly List<long> _allocated = [];
    private readonly List<nint> _freed = [];
    private nint _next = 1 << 20;

    [Fact]
    public void Hold_OfSeveralStages_PlacesThemOneAfterTheOtherInOneBlock()
    {
        StageMemory[] stages = [Stage(0, KiB), Stage(4 * KiB, KiB + 1), Stage(8 * KiB, 17)];
        WeightBlock block = Assert.Single(Store().Hold(stages));
        nint first = stages[0].Device;
        Assert.Equal([first, first + 1024, first + 1024 + 1280], stages.Select(stage => stage.Device));
        Assert.All(stages, stage => Assert.Equal(0, stage.Device % DeviceMemory.Alignment));
        Assert.Equal([1024 + 1280 + 256], _allocated);
        Assert.Equal(stages.Select(stage => stage.Range), block.Ranges);
    }

    [Fact]
    public void Hold_OfARangeThatAnotherComponentHolds_GivesTheSameCopy()
    {
        WeightStore store = Store();
        StageMemory first = Stage(0, KiB), shared = Stage(4 * KiB, KiB), same = Stage(4 * KiB, KiB), own = Stage(8 * KiB, 2 * KiB);
        WeightBlock one = Assert.Single(store.Hold([first, shared]));
        IReadOnlyList<WeightBlock> held = store.Hold([same, own]);
        Assert.Equal(shared.Device, same.Device);
        Assert.NotEqual(first.Device, own.Device);
        Assert.Equal(2, held.Count);
        Assert.Contains(one, held);
        Assert.Equal([2 * KiB, 2 * KiB], _allocated);
    }

    // A range is all three: file, offset and length.
    [Fact]
    public void Hold_OfRangesThatDifferInOneRespect_SharesNothing()
    {
        WeightStore store = Store();
        StageMemory[] stages = [Stage(0, KiB), Stage(0, 2 * KiB), Stage(KiB, KiB), Stage(0, KiB, "other.weights")];
        foreach (StageMemory stage in stages) store.Hold([stage]);
        Assert.Equal(4, stages.Select(stage => stage.Device).Distinct().Count());
        Assert.Equal(4, _allocated.Count);
    }

    [Fact]
    public void Hold_OfARangeThatAComponentNamesTwice_TakesItsMemoryOnce()
    {
        StageMemory first = Stage(0, KiB), again = Stage(0, KiB);
        Store().Hold([first, again]);
        Assert.Equal(first.Device, again.Device);
        Assert.Equal([KiB], _allocated);
    }

    [Fact]
    public void Release_BySharingHolders_FreesABlockWithTheLast()
    {
        WeightStore store = Store();
        StageMemory shared = Stage(0, KiB);
        IReadOnlyList<WeightBlock> first = store.Hold([shared]), second = store.Hold([Stage(0, KiB)]);
        store.Release(first);
        Assert.Empty(_freed);
        store.Release(second);
        Assert.Equal([shared.Device], _freed);

        // A later holder gets new memory.
        store.Hold([Stage(0, KiB)]);
        Assert.Equal([KiB, KiB], _allocated);
    }

    [Fact]
    public void Hold_WhereMemoryIsUsedUp_HoldsNothing()
    {
        bool isFull = true;
        var store = new WeightStore(bytes => isFull ? throw new DeviceMemoryException("none is left") : Allocate(bytes));
        Assert.Throws<DeviceMemoryException>(() => store.Hold([Stage(0, KiB)]));
        isFull = false;
        Assert.Single(store.Hold([Stage(0, KiB)]));
        Assert.Equal([KiB], _allocated);
    }

    private static StageMemory Stage(long offset, long length, string file = "unet.weights") =>
        new(new WeightRange(file, offset, length), StagePlacement.Resident, []);

    private WeightStore Store() => new(Allocate);

    private NativeBuffer Allocate(long bytes)
    {
        _allocated.Add(bytes);
        nint address = _next;
        _next += 1 << 20;
        return new NativeBuffer(address, bytes, _freed.Add);
    }
}
