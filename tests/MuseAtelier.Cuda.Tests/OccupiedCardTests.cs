using MuseAtelier.Cuda.Native;

namespace MuseAtelier.Cuda.Tests;

/// <summary>A card whose memory others hold.</summary>
public sealed class OccupiedCardTests
{
    private const long MiB = 1 << 20;

    private static readonly PictureRequest Request = new() { Prompt = "a lighthouse", Width = 768, Height = 768, Steps = 3, Seed = 5 };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GenerateAsync_WhereOthersHoldTheCard_PlansWithinTheRestAndGrowsBack()
    {
        CudaRig.Require();
        AtelierOptions options = CudaRig.Options() with { DeviceMemory = 6L << 30 };
        nint taken = 0;
        await using (Atelier atelier = await Atelier.OpenAsync(CudaRig.Checkpoint, options, cancellationToken: Cancellation))
        {
            // The sessions that are made beside the first picture are there then.
            Picture alone = await atelier.GenerateAsync(Request, cancellationToken: Cancellation);
            Assert.Empty(alone.Notices);
            // Not the plan without an engine: what earlier engines of this process left on the card counts here.
            long full = alone.Memory!.Plan.PeakBytes;
            CudaRuntime.Check(CudaRuntime.SetDevice(0), nameof(CudaRuntime.SetDevice));
            CudaRuntime.Check(CudaRuntime.MemGetInfo(out nuint free, out _), nameof(CudaRuntime.MemGetInfo));
            // What is loaded stays, and little beside it: less than the full plan needs.
            long others = (long)free - 500 * MiB;
            CudaRuntime.Check(CudaRuntime.Malloc(out taken, (nuint)others), nameof(CudaRuntime.Malloc), others);
            try
            {
                Picture first = await atelier.GenerateAsync(Request, cancellationToken: Cancellation);
                Picture second = await atelier.GenerateAsync(Request, cancellationToken: Cancellation);
                Assert.True(first.Memory!.Plan.PeakBytes < full, "The full plan was taken.");
                Assert.Contains("Other programs hold", Assert.Single(first.Notices), StringComparison.Ordinal);
                Assert.Empty(second.Notices);
                Assert.Equal(first.Memory.Plan.PeakBytes, second.Memory!.Plan.PeakBytes);
                Assert.Equal(first.Latents.ToArray(), second.Latents.ToArray());
            }
            finally
            {
                CudaRuntime.Ignore(CudaRuntime.Free(taken));
            }

            Picture third = await atelier.GenerateAsync(Request, cancellationToken: Cancellation);
            Picture fourth = await atelier.GenerateAsync(Request, cancellationToken: Cancellation);
            Assert.Contains("free again", Assert.Single(third.Notices), StringComparison.Ordinal);
            Assert.Equal(full, third.Memory!.Plan.PeakBytes);
            Assert.Empty(fourth.Notices);
        }
    }
}
