using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

public sealed class TorchCpuNoiseTests
{
    [Fact]
    public void Fill_OfEveryGoldenDraw_IsBitEqualToTorch()
    {
        int draws = 0;
        Assert.All(GoldenFiles.All, golden =>
            Assert.All(golden.Names.Where(name => name.StartsWith("randn.", StringComparison.Ordinal)), name =>
        {
            float[] expected = golden.Floats(name);
            float[] drawn = new float[expected.Length];
            var noise = new TorchCpuNoise(ulong.Parse(name.Split('.')[1]));
            noise.Fill(drawn.AsSpan(0, drawn.Length / 2));
            noise.Fill(drawn.AsSpan(drawn.Length / 2));
            Assert.Equal(expected.Select(BitConverter.SingleToUInt32Bits), drawn.Select(BitConverter.SingleToUInt32Bits));
            draws++;
        }));
        Assert.NotEqual(0, draws);
    }

    [Fact]
    public void Fill_ForAGoldenRun_IsBitEqualAcrossItsSteps() => Assert.All(GoldenFiles.All, golden =>
    {
        float[] start = golden.Floats("run.x0"), steps = golden.Floats("run.step_noise");
        PictureNoise streams = NoiseSourceCatalog.BuiltIn.Create(NoiseSource.Diffusers, 42);
        float[] drawn = new float[start.Length];
        streams.Start.Fill(drawn);
        // The golden's start is already scaled; the product may be rounded once more.
        float scale = new SigmaSchedule(Trained.Epsilon, new NoiseSchedule(), 8).InitialNoiseScale;
        Assert.All(start, (value, i) => Assert.Equal(value, drawn[i] * scale, 1e-6 * Math.Abs(value)));
        for (int i = 0; i < steps.Length / start.Length; i++)
        {
            streams.Steps.Fill(drawn);
            Assert.Equal(steps[(i * start.Length)..((i + 1) * start.Length)], drawn);
        }
    });

    [Theory]
    [InlineData(7)]
    [InlineData(4096)]
    public void Fill_OnceMore_AllocatesNothing(int count)
    {
        var noise = new TorchCpuNoise(1);
        float[] drawn = new float[count];
        noise.Fill(drawn);
        long before = GC.GetAllocatedBytesForCurrentThread();
        noise.Fill(drawn);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Fill_OfAMillion_IsStandardNormal()
    {
        float[] drawn = new float[1 << 20];
        new TorchCpuNoise(3).Fill(drawn);
        Assert.Equal(0, drawn.Average(), 2e-2);
        Assert.Equal(1, drawn.Average(value => (double)value * value), 2e-2);
        Assert.All(drawn, value => Assert.True(float.IsFinite(value)));
    }
}
