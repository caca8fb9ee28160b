using System.Globalization;
using MuseAtelier.Packages;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>Every sampler against runs of k-diffusion and diffusers with made-up models.</summary>
public sealed class SamplerGoldenTests
{
    // Both sides round to fp32 in every step, so relative errors of some 1e-7 add up.
    private const double Allowed = 3e-6;

    private static readonly Dictionary<string, Func<SigmaSchedule, Sampler>> KDiffusion = new()
    {
        ["euler"] = schedule => new EulerSampler(schedule),
        ["euler_ancestral"] = schedule => new EulerAncestralSampler(schedule),
        ["dpmpp_2m"] = schedule => new Dpmpp2MSampler(schedule),
        ["heun"] = schedule => new HeunSampler(schedule),
        ["dpm_2"] = schedule => new Dpm2Sampler(schedule),
        ["dpm_2_ancestral"] = schedule => new Dpm2AncestralSampler(schedule),
        ["lms"] = schedule => new LmsSampler(schedule),
        ["dpmpp_2m_sde"] = schedule => new Dpmpp2MSdeSampler(schedule, isHeun: false),
        ["dpmpp_2m_sde_heun"] = schedule => new Dpmpp2MSdeSampler(schedule, isHeun: true),
        ["dpmpp_3m_sde"] = schedule => new Dpmpp3MSdeSampler(schedule),
        ["dpmpp_2s_ancestral"] = schedule => new Dpmpp2SAncestralSampler(schedule),
    };

    // The case's name, its sampler, its schedule and the model's prediction.
    private static readonly (string Case, SamplerName Sampler, NoiseSchedule Schedule, PredictionType Prediction)[] Diffusers =
    [
        ("euler", SamplerName.Euler, new NoiseSchedule(), PredictionType.Epsilon),
        ("euler_karras", SamplerName.Euler, new NoiseSchedule { Karras = true }, PredictionType.Epsilon),
        ("euler_trailing", SamplerName.Euler, new NoiseSchedule { Spacing = TimestepSpacing.Trailing }, PredictionType.Epsilon),
        ("euler_a", SamplerName.EulerAncestral, new NoiseSchedule(), PredictionType.Epsilon),
        ("lms", SamplerName.Lms, new NoiseSchedule(), PredictionType.Epsilon),
        ("ddim", SamplerName.Ddim, new NoiseSchedule(), PredictionType.Epsilon),
        ("euler_a_v", SamplerName.EulerAncestral, new NoiseSchedule { Spacing = TimestepSpacing.Trailing }, PredictionType.Velocity),
    ];

    [Fact]
    public void Advance_OfKDiffusionsRuns_AgreesAtEveryStep()
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (GoldenFile golden in GoldenFiles.Samplers)
        {
            foreach (string name in golden.Names.Where(name => name.EndsWith(".before_step", StringComparison.Ordinal)))
            {
                string prefix = name[..^"before_step".Length];
                string sampler = prefix[..prefix.IndexOf('.', StringComparison.Ordinal)];
                if (!KDiffusion.TryGetValue(sampler, out Func<SigmaSchedule, Sampler>? create)) continue;
                found.Add(sampler);
                SigmaSchedule schedule = SigmaSchedule.FromSigmas(golden.Floats(prefix + "sigmas"));
                float[] drawn = golden.Names.Contains(prefix + "drawn") ? golden.Floats(prefix + "drawn") : [];
                (List<float[]> before, float[] final) = Run(create(schedule), golden.Floats(prefix + "x0"), drawn, Denoise);
                float[] expected = golden.Floats(name);
                Assert.Equal(expected.Length, before.Sum(latents => latents.Length));
                for (int step = 0; step < before.Count; step++)
                    AssertClose($"{prefix}{step}", expected.AsSpan(step * final.Length, final.Length), before[step]);
                AssertClose(prefix + "final", golden.Floats(prefix + "final"), final);
            }
        }

        Assert.Equal(KDiffusion.Keys.Order(StringComparer.Ordinal), found);
    }

    [Fact]
    public void Advance_OfDiffusersRuns_AgreesAtEveryStep()
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (GoldenFile golden in GoldenFiles.Samplers)
        {
            foreach (string name in golden.Names.Where(name => name.EndsWith(".latents", StringComparison.Ordinal)))
            {
                string[] parts = name.Split('.');
                int index = Array.FindIndex(Diffusers, known => known.Case == parts[0]);
                if (index < 0) continue;
                found.Add(parts[0]);
                CompareWithDiffusers(golden, $"{parts[0]}.{parts[1]}.", int.Parse(parts[1], CultureInfo.InvariantCulture), index);
            }
        }

        Assert.Equal(Diffusers.Length, found.Count);
    }

    private static void CompareWithDiffusers(GoldenFile golden, string prefix, int steps, int index)
    {
        (_, SamplerName name, NoiseSchedule choice, PredictionType type) = Diffusers[index];
        var schedule = new SigmaSchedule(new TrainedSchedule(type, zeroTerminalSnr: false), choice, steps);
        // DDIM's schedule names no sigmas, and its latents are multiplied by sqrt(alpha) until the last step, which leads to a picture.
        bool isScaled = !golden.Names.Contains(prefix + "sigmas");
        if (!isScaled) AssertClose(prefix + "sigmas", golden.Floats(prefix + "sigmas"), schedule.Sigmas);
        AssertClose(prefix + "timesteps", golden.Floats(prefix + "timesteps"), schedule.Timesteps);
        float[] drawn = golden.Names.Contains(prefix + "drawn") ? golden.Floats(prefix + "drawn") : [];
        float[] start = golden.Floats(prefix + "x0");
        if (isScaled) Scale(start, schedule.Sigmas[0]);
        Prediction prediction = Prediction.Of(type);
        (List<float[]> before, float[] final) = Run(
            SamplerCatalog.BuiltIn.Create(new PictureRequest { Prompt = "", Sampler = name }, schedule), start, drawn, Predict);
        float[] expected = golden.Floats(prefix + "latents");
        float[][] after = [.. before.Skip(1), final];
        Assert.Equal(steps, after.Length);
        for (int step = 0; step < steps; step++)
        {
            Span<float> latents = expected.AsSpan(step * final.Length, final.Length);
            if (isScaled && step < steps - 1) Scale(latents, schedule.Sigmas[step + 1]);
            AssertClose($"{prefix}{step}", latents, after[step]);
        }

        static void Scale(Span<float> latents, float sigma)
        {
            foreach (ref float latent in latents) latent = (float)(latent * Math.Sqrt((double)sigma * sigma + 1));
        }

        void Predict(Evaluation evaluation, float[] latents, float[] denoised, float[] output)
        {
            Prediction.ScaleInput(latents, evaluation.Sigma, output);
            for (int i = 0; i < output.Length; i++) output[i] = FakeDenoiser.Predict(output[i], evaluation.Timestep);
            prediction.ToDenoised(latents, output, evaluation.Sigma, denoised);
            prediction.ToEpsilon(latents, output, evaluation.Sigma);
        }
    }

    // D(x, s) = x / (1 + s^2) + 0.2 s / (1 + s) sin(0.7 x + s / 20), as the file's description states.
    private static void Denoise(Evaluation evaluation, float[] latents, float[] denoised, float[] epsilon)
    {
        double s = evaluation.Sigma;
        for (int i = 0; i < latents.Length; i++)
        {
            double x = latents[i];
            double clean = x / (1 + s * s) + 0.2 * s / (1 + s) * Math.Sin(0.7 * x + s / 20);
            denoised[i] = (float)clean;
            epsilon[i] = (float)((x - clean) / s);
        }
    }

    // Gives the latents before each step, and the result.
    private static (List<float[]> Before, float[] Final) Run(
        Sampler sampler, float[] start, float[] drawn, Action<Evaluation, float[], float[], float[]> model)
    {
        float[] latents = [.. start], denoised = new float[start.Length], epsilon = new float[start.Length];
        float[] history = new float[sampler.History * start.Length];
        List<float[]> before = [];
        int next = 0;
        foreach (Evaluation evaluation in sampler.Evaluations)
        {
            if (evaluation.Step == before.Count) before.Add([.. latents]);
            model(evaluation, latents, denoised, epsilon);
            int draws = evaluation.NoiseDraws * start.Length;
            sampler.Advance(evaluation, new SamplerState(latents, denoised, epsilon, drawn.AsSpan(next, draws), history));
            next += draws;
        }

        return (before, latents);
    }

    private static void AssertClose(string name, ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double difference = 0, size = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            difference += Math.Pow((double)expected[i] - actual[i], 2);
            size += (double)expected[i] * expected[i];
        }

        Assert.True(Math.Sqrt(difference / size) <= Allowed, $"{name}: relative error {Math.Sqrt(difference / size)}");
    }
}
