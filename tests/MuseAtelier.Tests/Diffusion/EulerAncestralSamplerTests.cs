using MuseAtelier.Diffusion;

namespace MuseAtelier.Tests.Diffusion;

public sealed class EulerAncestralSamplerTests
{
    private const int Count = 4 * 9 * 7;

    [Theory]
    [InlineData(TimestepSpacing.Leading, false, 8)]
    [InlineData(TimestepSpacing.Linspace, true, 30)]
    [InlineData(TimestepSpacing.Leading, false, 1000)]
    [InlineData(TimestepSpacing.Trailing, false, 1)]
    public void Step_OfEverySchedule_FollowsTheFormula(TimestepSpacing spacing, bool karras, int steps)
    {
        var schedule = new SigmaSchedule(new NoiseSchedule { Spacing = spacing, Karras = karras }, steps);
        var sampler = new EulerAncestralSampler(schedule);
        float[] before = Draw(1), prediction = Draw(2), noise = Draw(3);
        for (int step = 0; step < steps; step++)
        {
            double s = schedule.Sigmas[step], t = schedule.Sigmas[step + 1];
            double up = Math.Min(t, Math.Sqrt(t * t * (s * s - t * t) / (s * s)));
            double down = Math.Sqrt(t * t - up * up);
            float[] latents = [.. before];
            sampler.Step(latents, prediction, noise, step);
            for (int i = 0; i < Count; i++)
            {
                double denoised = before[i] - s * prediction[i];
                double expected = before[i] + (before[i] - denoised) / s * (down - s) + noise[i] * up;
                Assert.Equal(expected, latents[i], 1e-5 * (1 + s));
            }
        }
    }

    [Fact]
    public void Step_ToZero_IsThePredictedPictureWithoutNoise()
    {
        var schedule = new SigmaSchedule(new NoiseSchedule(), 4);
        var sampler = new EulerAncestralSampler(schedule);
        float[] latents = Draw(1), prediction = Draw(2), denoised = new float[Count];
        sampler.Denoise(latents, prediction, 3, denoised);
        Assert.False(sampler.AddsNoise(3));
        Assert.True(sampler.AddsNoise(2));
        sampler.Step(latents, prediction, [], 3);
        Assert.Equal(denoised, latents);
    }

    [Fact]
    public void Step_BetweenEqualSigmas_AddsNoNoiseAndStays()
    {
        // Timesteps 1000 and 999 share the last trained sigma.
        var sampler = new EulerAncestralSampler(new SigmaSchedule(new NoiseSchedule(), 1000));
        float[] latents = Draw(1), before = [.. latents];
        sampler.Step(latents, Draw(2), Draw(3), 0);
        Assert.Equal(before, latents);
    }

    [Fact]
    public void ScaleInput_InPlace_DividesByTheDeviation()
    {
        float[] latents = Draw(1), scaled = [.. latents];
        EulerAncestralSampler.ScaleInput(scaled, 3, scaled);
        Assert.All(Enumerable.Range(0, Count), i => Assert.Equal(latents[i] / Math.Sqrt(10), scaled[i], 1e-6));
    }

    [Fact]
    public void Guide_IntoTheConditionalHalf_FollowsTheFormula()
    {
        float[] unconditional = Draw(1), conditional = Draw(2), output = [.. conditional];
        EulerAncestralSampler.Guide(unconditional, output, 7, output);
        Assert.All(Enumerable.Range(0, Count), i =>
            Assert.Equal(unconditional[i] + 7.0 * (conditional[i] - unconditional[i]), output[i], 1e-5));
    }

    [Fact]
    public void Guide_IntoTheUnconditionalHalf_Throws()
    {
        float[] unconditional = Draw(1);
        Assert.Throws<ArgumentException>(() => EulerAncestralSampler.Guide(unconditional, Draw(2), 7, unconditional));
    }

    [Fact]
    public void ScaleInitialNoiseInPlace_WithTheDefaultSchedule_MultipliesByItsScale()
    {
        var schedule = new SigmaSchedule(new NoiseSchedule(), 30);
        float[] noise = Draw(1), scaled = [.. noise];
        new EulerAncestralSampler(schedule).ScaleInitialNoiseInPlace(scaled);
        Assert.All(Enumerable.Range(0, Count), i => Assert.Equal(noise[i] * schedule.InitialNoiseScale, scaled[i]));
    }

    [Fact]
    public void EveryOperation_OnceMore_AllocatesNothing()
    {
        var sampler = new EulerAncestralSampler(new SigmaSchedule(new NoiseSchedule(), 2));
        var streams = NoiseStreams.Create(NoiseSource.Comfy, 1);
        float[] latents = Draw(1), unconditional = Draw(2), conditional = Draw(3), noise = Draw(4);
        byte[] pixels = new byte[3 * Count / 4];
        Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Run()
        {
            streams.Start.Fill(latents);
            sampler.ScaleInitialNoiseInPlace(latents);
            EulerAncestralSampler.ScaleInput(latents, 14, noise);
            EulerAncestralSampler.Guide(unconditional, conditional, 7, conditional);
            streams.Steps.Fill(noise);
            sampler.Denoise(latents, conditional, 0, unconditional);
            LatentPreviewer.Paint(unconditional, width: pixels.Length / 3, pixels, stride: pixels.Length);
            sampler.Step(latents, conditional, noise, 0);
        }
    }

    private static float[] Draw(ulong seed)
    {
        float[] drawn = new float[Count];
        new TorchCpuNoise(seed).Fill(drawn);
        return drawn;
    }
}
