using System.Text.Json;
using MuseAtelier.Packages;
using MuseAtelier.Residency;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Residency;

public sealed class PlanDumpTemporary
{
    [Fact]
    public void Dump()
    {
        string? path = Environment.GetEnvironmentVariable("PLAN_DUMP");
        if (path is null) return;
        using var writer = new StreamWriter(path);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        long allocated = 0;
        double planning = 0, making = 0, leasting = 0;
        foreach ((ModelSizes model, DeviceProfile device) in ((ModelSizes, DeviceProfile)[])[
            (FullSizeModel.Cuda, DeviceProfile.Hopper),
            (FullSizeModel.Portable, DeviceProfile.Processor),
            (FullSizeModel.Cuda with { Precisions = Precisions.All(Precision.Fp32) }, DeviceProfile.Hopper),
            (FullSizeModel.Portable with { Precisions = Precisions.All(Precision.Fp16) }, DeviceProfile.Processor)])
        {
            var random = new Random(23);
            OffloadMode[] modes = [OffloadMode.Auto, OffloadMode.Auto, OffloadMode.Auto, OffloadMode.Resident, OffloadMode.Stream, OffloadMode.Sessions];
            for (int i = 0; i < 24; i++)
            {
                int pictures = random.Next(1, 10);
                var request = new ResidencyRequest
                {
                    Width = random.Next(32, 257) * 8, Height = random.Next(32, 257) * 8, Steps = random.Next(1, 60), Count = pictures,
                    BatchSize = i % 2 == 0 ? null : random.Next(1, Math.Min(pictures, BatchSlot.LargestBatch) + 1),
                    Guided = random.Next(4) > 0, Offload = modes[random.Next(modes.Length)], VaeTiling = (VaeTiling)random.Next(3),
                    DecodesInFp32 = random.Next(4) == 0, PinnedBytes = random.Next(2) == 0 ? long.MaxValue : random.NextInt64(6L << 30),
                    Frame = i % 3 == 0 ? new PictureFrame(FrameStyle.Gilded, (FramePlacement)random.Next(2)) : null,
                };
                var two = System.Diagnostics.Stopwatch.StartNew();
                var search = new ResidencySearch(model, request, device);
                making += two.Elapsed.TotalMilliseconds;
                two.Restart();
                long least = search.Least();
                leasting += two.Elapsed.TotalMilliseconds;
                writer.WriteLine($"{request} least {least}");
                foreach (long budget in Enumerable.Range(0, 60).Select(_ => least + (long)(Math.Pow(random.NextDouble(), 3) * (24L << 30))).Prepend(least).Append(long.MaxValue).Order())
                {
                    long before = GC.GetAllocatedBytesForCurrentThread();
                    var one = System.Diagnostics.Stopwatch.StartNew();
                    ResidencyPlan plan = search.Plan(budget);
                    planning += one.Elapsed.TotalMilliseconds;
                    allocated += GC.GetAllocatedBytesForCurrentThread() - before;
                    writer.WriteLine(JsonSerializer.Serialize(plan));
                }
            }
        }

        Console.WriteLine($"DUMP {clock.Elapsed.TotalSeconds:0.0} s, {allocated} bytes; planning {planning:0} ms, making {making:0} ms, least {leasting:0}");
    }
}
