using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

public sealed class EulerAncestralSamplerTests
{
    private const int Count = 4 * 9 * 7;

    [Theory]
    [InlineData(TimestepSpacing.Leading, false, 8)]
    [InlineData(TimestepSpacing.Linspace, true, 30)]
    [InlineData(TimestepSpacing.Leading, false, 1000)]
    [InlineData(TimestepSpacing.Trailing, false, 1)]
    public void Advance_OfEverySchedule_FollowsTheFormula(TimestepSpacing spacing, bool karras, int steps)
    {
        var schedule = new SigmaSchedule(Trained.Epsilon, new NoiseSchedule { Spacing = spacing, Karras = karras }, steps);
        var sampler = new EulerAncestralSampler(schedule);
        float[] before = Draw(1), prediction = Draw(2), noise = Draw(3);
        for (int step = 0; step < steps; step++)
        {
            double s = schedule.Sigmas[step], t = schedule.Sigmas[step + 1];
            double up = Math.Min(t, Math.Sqrt(t * t * (s * s - t * t) / (s * s)));
            double down = Math.Sqrt(t * t - up * up);
            float[] latents = [.. before];
            Advance(sampler, step, latents, prediction, noise);
            for (int i = 0; i < Count; i++)
            {
                double denoised = before[i] - s * prediction[i];
                double expected = before[i] + (before[i] - denoised) / s * (down - s) + noise[i] * up;
                Assert.Equal(expected, latents[i], 1e-5 * (1 + s));
            }
        }
    }

    [Fact]
    public void Advance_ToZero_IsThePredictedPictureWithoutNoise()
    {
        var schedule = new SigmaSchedule(Trained.Epsilon, new NoiseSchedule(), 4);
        var sampler = new EulerAncestralSampler(schedule);
        float[] latents = Draw(1), prediction = Draw(2), denoised = new float[Count];
        new EpsilonPrediction().ToDenoised(latents, prediction, schedule.Sigmas[3], denoised);
        Assert.Equal(0, sampler.Evaluations[3].NoiseDraws);
        Assert.Equal(1, sampler.Evaluations[2].NoiseDraws);
        float[] formula = [.. latents.Select((value, i) => prediction[i] * -schedule.Sigmas[3] + value)];
        Advance(sampler, 3, latents, prediction, []);
        Assert.Equal(denoised, latents);
        Assert.Equal(formula, latents);
    }

    [Fact]
    public void Advance_BetweenEqualSigmas_AddsNoNoiseAndStays()
    {
        // Timesteps 1000 and 999 share the last trained sigma.
        var sampler = new EulerAncestralSampler(new SigmaSchedule(Trained.Epsilon, new NoiseSchedule(), 1000));
        float[] latents = Draw(1), before = [.. latents];
        Advance(sampler, 0, latents, Draw(2), Draw(3));
        Assert.Equal(before, latents);
        Assert.Equal(0, sampler.Evaluations[0].NoiseDraws);
    }

    [Fact]
    public void ScaleInput_InPlace_DividesByTheDeviation()
    {
        float[] latents = Draw(1), scaled = [.. latents];
        Prediction.ScaleInput(scaled, 3, scaled);
        Assert.All(Enumerable.Range(0, Count), i => Assert.Equal(latents[i] / Math.Sqrt(10), scaled[i], 1e-6));
    }

    [Fact]
    public void Apply_IntoTheConditionalHalf_FollowsTheFormula()
    {
        float[] unconditional = Draw(1), conditional = Draw(2), output = [.. conditional];
        Guidance.Apply(unconditional, output, 7);
        Assert.All(Enumerable.Range(0, Count), i =>
            Assert.Equal(unconditional[i] + 7.0 * (conditional[i] - unconditional[i]), output[i], 1e-5));
    }

    [Fact]
    public void Apply_IntoTheUnconditionalHalf_Throws()
    {
        float[] unconditional = Draw(1);
        Assert.Throws<ArgumentException>(() => Guidance.Apply(unconditional, unconditional, 7));
    }

    [Theory]
    [InlineData(1f, false)]
    [InlineData(1.0001f, true)]
    [InlineData(100f, true)]
    public void IsGuided_OfARequest_IsTheGuidances(float scale, bool expected)
    {
        var request = new PictureRequest { Prompt = "", GuidanceScale = scale };
        Assert.Equal(expected, request.IsGuided);
        Assert.Equal(expected, new Guidance(request).IsGuided);
    }

    [Fact]
    public void EveryOperation_OnceMore_AllocatesNothing()
    {
        var schedule = new SigmaSchedule(Trained.Epsilon, new NoiseSchedule(), 2);
        var sampler = new EulerAncestralSampler(schedule);
        var prediction = new EpsilonPrediction();
        PictureNoise generators = NoiseSourceCatalog.BuiltIn.Create(NoiseSource.Comfy, 1);
        float[] latents = Draw(1), unconditional = Draw(2), conditional = Draw(3), noise = Draw(4);
        byte[] pixels = new byte[3 * Count / 4];
        Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Run()
        {
            generators.Start.Fill(latents);
            InitialLatents.Noise.Write(latents, schedule.InitialNoiseScale, schedule.Sigmas[0], default, latents);
            Prediction.ScaleInput(latents, 14, noise);
            Guidance.Apply(unconditional, conditional, 7);
            generators.Steps.Fill(noise);
            prediction.ToDenoised(latents, conditional, schedule.Sigmas[0], unconditional);
            LatentPreviewer.Paint(unconditional, width: pixels.Length / 3, pixels, stride: pixels.Length);
            sampler.Advance(sampler.Evaluations[0], new SamplerState(latents, unconditional, conditional, noise));
        }
    }

    private static void Advance(Sampler sampler, int step, float[] latents, float[] prediction, float[] noise)
    {
        float[] denoised = new float[Count];
        new EpsilonPrediction().ToDenoised(latents, prediction, sampler.Evaluations[step].Sigma, denoised);
        sampler.Advance(sampler.Evaluations[step], new SamplerState(latents, denoised, prediction, noise));
    }

    private static float[] Draw(ulong seed)
    {
        float[] drawn = new float[Count];
        new TorchCpuNoise(seed).Fill(drawn);
        return drawn;
    }
}
