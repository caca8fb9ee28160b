using MuseAtelier.Cuda.Devices;
using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Tests.Cuda;

public sealed class WeightLoadTests
{
    private const long Bytes = 2 * WeightReader.PieceBytes + 1;

    [Fact]
    public void Pieces_ForTheDevice_AreCutAndForTheHostAreWholeStages()
    {
        StageMemory[] stages = [Stage(0, Bytes), Stage(2 * Bytes, 17)];
        var toDevice = new WeightLoad(stages, null, toHost: false, isKept: null, CancellationToken.None);
        Assert.Equal([WeightReader.PieceBytes, WeightReader.PieceBytes, 1, 17], toDevice.Pieces.Select(piece => piece.Part.Bytes));
        Assert.Equal(new WeightRange("unet.weights", 2 * Bytes, 17), toDevice.Pieces[^1].From);
        var toHost = new WeightLoad(stages, null, toHost: true, isKept: null, CancellationToken.None);
        Assert.Equal([Bytes, 17], toHost.Pieces.Select(piece => piece.Part.Bytes));
        Assert.False(toHost.MergesOnHost);
    }

    [Fact]
    public async Task Completion_OfPiecesThatFailed_HasTheFirstFailureOnceAllAreDone()
    {
        var load = new WeightLoad([Stage(0, Bytes)], null, toHost: false, isKept: null, CancellationToken.None);
        load.Done(null);
        load.Done(new InvalidDataException("first"));
        Assert.False(load.Completion.IsCompleted);
        load.Done(new InvalidDataException("second"));
        Assert.True(load.Completion.IsFaulted);
        Assert.Equal("first", (await Assert.ThrowsAsync<InvalidDataException>(() => load.Completion)).Message);
    }

    // What a load that cannot begin leaves behind must not pass for loaded weights.
    [Fact]
    public void Load_WithAReaderThatHasEnded_FailsEachTime()
    {
        var store = new WeightStore(bytes => new NativeBuffer(1 << 20, bytes, _ => { }));
        WeightBlock block = store.Hold([Stage(0, Bytes)]).Single();
        var reader = new WeightReader(0, new DeviceUsage(), 1, new WeightFiles(name => name));
        reader.Dispose();
        for (int i = 0; i < 2; i++)
        {
            Assert.Throws<ObjectDisposedException>(() => { _ = block.Load(reader, null); });
            Assert.Throws<ObjectDisposedException>(() => { _ = block.Switch(reader, null, CancellationToken.None); });
        }
    }

    private static StageMemory Stage(long offset, long length) =>
        new(new WeightRange("unet.weights", offset, length), StagePlacement.Resident, []);
}
