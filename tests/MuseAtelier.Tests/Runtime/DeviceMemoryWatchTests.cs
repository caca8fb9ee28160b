using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Runtime;

public sealed class DeviceMemoryWatchTests(NarrowAtelier narrow)
{
    [Fact]
    public async Task GenerateAsync_OfAWatchedPicture_CountsWhatTheArenaGaveAndHeld()
    {
        await using Atelier watched = await narrow.OpenAsync(TestAtelier.Options with { WatchMemory = true });
        PictureMemory small = await MemoryOf(watched, TestAtelier.Small);
        PictureMemory large = await MemoryOf(watched, TestAtelier.Small with { Width = 768, Height = 768, Steps = 1 });

        // The decoder's last level alone: 64 channels of a picture in fp32. The arena counts from its creation, so earlier pictures may
        // have used more of it.
        const long level = 768L * 768 * 64 * sizeof(float);
        Assert.True(large.ArenaUsedBytes > level, $"{large.ArenaUsedBytes} bytes in use");
        Assert.True(large.ArenaUsedBytes >= small.ArenaUsedBytes);
        Assert.True(large.ArenaHeldBytes > level, $"{large.ArenaHeldBytes} bytes held");
        Assert.All(large.Phases, phase => Assert.True(phase.ArenaHeldBytes > 0));
    }

    [Fact]
    public async Task GenerateAsync_OfAPictureThatNobodyWatches_SaysNothingOfTheArena()
    {
        PictureMemory memory = await MemoryOf(narrow.Atelier, TestAtelier.Small);
        Assert.Equal((null, null, null), (memory.PeakBytes, memory.ArenaUsedBytes, memory.ArenaHeldBytes));
    }

    private static async Task<PictureMemory> MemoryOf(Atelier atelier, PictureRequest request)
    {
        Picture picture = await atelier.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken);
        return picture.Memory!;
    }
}
