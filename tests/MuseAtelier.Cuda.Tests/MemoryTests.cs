using MuseAtelier.Cuda.Devices;
using MuseAtelier.Cuda.Native;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Tests;

public sealed class MemoryTests
{
    private const long MiB = 1 << 20;

    private static readonly PictureRequest Request = new() { Prompt = "a lighthouse", Width = 256, Height = 256, Steps = 3 };

    [Fact]
    public async Task Dispose_AfterTwentyPictures_GivesEverythingBack()
    {
        CudaRig.Require();
        var memory = CardMemory.Of(0);
        List<long> after = [];
        for (int i = 0; i < 20; i++)
        {
            await using (Atelier atelier = await Atelier.OpenAsync(
                CudaRig.Checkpoint, CudaRig.Options(), cancellationToken: TestContext.Current.CancellationToken))
                await atelier.GenerateAsync(Request, cancellationToken: TestContext.Current.CancellationToken);
            Assert.SkipWhen(memory.ProcessBytes() is null, "The driver does not tell what a process holds.");
            after.Add(memory.ProcessBytes()!.Value);
        }

        Assert.InRange(after[^1] - after[0], -32 * MiB, 32 * MiB);
    }

    [Fact]
    public async Task Generate_AgainAndAgain_AllocatesNothingManagedInTheLoop()
    {
        CudaRig.Require();
        await using Atelier atelier = await Atelier.OpenAsync(
            CudaRig.Checkpoint, CudaRig.Options(), cancellationToken: TestContext.Current.CancellationToken);
        PictureRequest request = Request with { Steps = 8 };
        await atelier.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken);
        Picture second = await atelier.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(0, second.Timings.DenoisingManagedBytes);
        Assert.Contains(second.Pixels.ToArray(), value => value != second.Pixels.Span[0]);
    }

    [Fact]
    public void Watch_WhileMemoryIsTaken_SeesThePeak()
    {
        using var rig = new CudaRig();
        Assert.SkipWhen(rig.Device.ProcessBytes() is null, "The driver does not tell what a process holds.");
        long before = rig.Device.ProcessBytes()!.Value;
        using var watch = new DeviceMemoryWatch(rig.Device, TimeSpan.FromMilliseconds(1));
        using (rig.Device.Allocate(512 * MiB)) Thread.Sleep(50);
        Assert.InRange(watch.PeakBytes!.Value - before, 512 * MiB, 520 * MiB);
    }

    [Fact]
    public async Task GenerateAsync_OfAWatchedPicture_CountsWhatTheArenaGaveAndHeld()
    {
        CudaRig.Require();
        await using Atelier atelier = await Atelier.OpenAsync(
            CudaRig.Checkpoint, CudaRig.Options() with { WatchMemory = true }, cancellationToken: TestContext.Current.CancellationToken);
        PictureMemory memory = await MemoryOf(atelier, Request with { Width = 512, Height = 512 });
        // The UNet's first level alone: two rows of 64x64 latents, 64 channels or more, in fp16. What decodes has an arena of its own.
        const long level = 2 * 64 * 64 * 64 * 2;
        Assert.True(memory.ArenaUsedBytes > level, $"{memory.ArenaUsedBytes} bytes in use");
        Assert.True(memory.ArenaHeldBytes > level, $"{memory.ArenaHeldBytes} bytes held");
        Assert.True(memory.PeakBytes is null || memory.ArenaHeldBytes < memory.PeakBytes);
    }

    // Runs where no other test has made the context: by itself.
    [Fact]
    public void ContextBytes_WhereTheProcessHadNoContext_AreNoMoreThanTheProfileSays()
    {
        using var rig = new CudaRig();
        Assert.SkipWhen(
            rig.Device.ContextBytes is null, "The context was there already, or the driver does not tell what a process holds.");
        string card = rig.Device.Card.Name;
        bool isHopper = card.Contains("H100", StringComparison.Ordinal) || card.Contains("H200", StringComparison.Ordinal);
        Assert.SkipUnless(isHopper, "The profile is a Hopper card's.");
        Assert.InRange(rig.Device.ContextBytes!.Value, DeviceProfile.Hopper.ContextBytes - 16 * MiB, DeviceProfile.Hopper.ContextBytes);
    }

    [Fact]
    public async Task GenerateAsync_OfAnotherSizeWhereTheBudgetIsTight_HasTheArenaGiveBackWhatTheFormerLeft()
    {
        CudaRig.Require();
        AtelierOptions options = CudaRig.Options() with { WatchMemory = true };
        PictureRequest large = Request with { Width = 1024, Height = 1024 };
        long budget = Atelier.Plan(CudaRig.Checkpoint, options, large).PeakBytes;
        await using Atelier atelier = await Atelier.OpenAsync(
            CudaRig.Checkpoint, options with { DeviceMemory = budget }, cancellationToken: TestContext.Current.CancellationToken);
        long? left = (await MemoryOf(atelier, large)).Phases[^1].ArenaHeldBytes;
        PictureMemory memory = await MemoryOf(atelier, Request with { Width = 768, Height = 768 });
        // The prompt is known: what is held before the first run is what was left.
        Assert.InRange(memory.Phases[0].ArenaHeldBytes!.Value, 0, left!.Value / 2);
    }

    // Half of a context's memory, otherwise.
    [Fact]
    public void Open_OnAContextOfItsOwn_BoundsTheStacksOfItsThreads()
    {
        using var rig = new CudaRig();
        CudaRuntime.Check(CudaRuntime.DeviceGetLimit(out nuint bytes, CudaRuntime.LimitStackSize), nameof(CudaRuntime.DeviceGetLimit));
        // The driver raises it to what a kernel declares that was run before, and no further.
        Assert.InRange(bytes, DeviceStacks.Bytes, DeviceStacks.DefaultBytes - 1);
    }

    [Fact]
    public void Allocate_MoreThanTheCardHas_ThrowsWithTheSize()
    {
        using var rig = new CudaRig();
        DeviceMemoryException exception = Assert.Throws<DeviceMemoryException>(() => rig.Device.Allocate(1L << 50));
        Assert.Contains("MiB", exception.Message, StringComparison.Ordinal);
        using NativeBuffer small = rig.Device.Allocate(MiB);
        Assert.NotEqual(0, small.Address);
    }

    // A captured run takes memory when it is launched: what follows from that is to paint with less, as anywhere.
    [Fact]
    public void Check_OfACallThatFindsNoDeviceMemory_ThrowsWithTheCall()
    {
        using var rig = new CudaRig();
        DeviceMemoryException exception = Assert.Throws<DeviceMemoryException>(() =>
            CudaRuntime.Check(CudaRuntime.ErrorMemoryAllocation, nameof(CudaRuntime.GraphLaunch)));
        Assert.Contains("cudaGraphLaunch", exception.Message, StringComparison.Ordinal);
        Assert.Throws<CudaException>(() => CudaRuntime.Check(CudaRuntime.ErrorMemoryAllocation, nameof(CudaRuntime.HostAlloc)));
    }

    [Fact]
    public void Check_OfAFailedCall_ThrowsWithTheCallAndTheError()
    {
        using var rig = new CudaRig();
        CudaException exception = Assert.Throws<CudaException>(() =>
            CudaRuntime.Check(CudaRuntime.SetDevice(4096), nameof(CudaRuntime.SetDevice)));
        Assert.Equal(("cudaSetDevice", "cudaErrorInvalidDevice"), (exception.Call, exception.CodeName));
    }

    private static async Task<PictureMemory> MemoryOf(Atelier atelier, PictureRequest request)
    {
        Picture picture = await atelier.GenerateAsync(request, cancellationToken: TestContext.Current.CancellationToken);
        return picture.Memory!;
    }
}
