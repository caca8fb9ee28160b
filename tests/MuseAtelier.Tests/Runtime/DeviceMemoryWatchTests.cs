using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Runtime;

public sealed class DeviceMemoryWatchTests(TestAtelier miniature)
{
    [Fact]
    public async Task GenerateAsync_OfAWatchedPicture_CountsWhatTheArenaGaveAndHeld()
    {
        await using Atelier watched = await miniature.OpenAsync(TestAtelier.Options with { WatchMemory = true });
        PictureMemory small = (await watched.GenerateAsync(TestAtelier.Small, cancellationToken: TestContext.Current.CancellationToken)).Memory!;
        PictureMemory large = (await watched.GenerateAsync(TestAtelier.Small with { Width = 768, Height = 768, Steps = 1 }, cancellationToken: TestContext.Current.CancellationToken)).Memory!;

        // The decoder's last level alone: 64 channels of a picture in fp32. Pictures before it may have used more of the arena, which counts from its making on.
        const long level = 768L * 768 * 64 * sizeof(float);
        Assert.True(large.ArenaUsedBytes > level, $"{large.ArenaUsedBytes} bytes in use");
        Assert.True(large.ArenaUsedBytes >= small.ArenaUsedBytes);
        Assert.True(large.ArenaHeldBytes > level, $"{large.ArenaHeldBytes} bytes held");
        Assert.All(large.Phases, phase => Assert.True(phase.ArenaHeldBytes > 0));
    }

    [Fact]
    public async Task GenerateAsync_OfAPictureThatNobodyWatches_SaysNothingOfTheArena()
    {
        PictureMemory memory = (await miniature.Atelier.GenerateAsync(TestAtelier.Small, cancellationToken: TestContext.Current.CancellationToken)).Memory!;
        Assert.Equal((null, null, null), (memory.PeakBytes, memory.ArenaUsedBytes, memory.ArenaHeldBytes));
    }
}
