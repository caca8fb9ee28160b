using System.Globalization;
using MuseAtelier.Format;
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
        ["dpmpp_sde"] = schedule => new DpmppSdeSampler(schedule),
    };

    private static readonly NoiseSchedule Leading = new() { Spacing = TimestepSpacing.Leading };
    private static readonly NoiseSchedule Trailing = new() { Spacing = TimestepSpacing.Trailing };

    // The sampler of each case, its schedule (null means the levels in the file) and the model's prediction.
    private static readonly Dictionary<string, (SamplerName Sampler, NoiseSchedule? Schedule, PredictionType Prediction)> Diffusers = new()
    {
        ["euler"] = (SamplerName.Euler, Leading, PredictionType.Epsilon),
        ["euler_karras"] = (SamplerName.Euler, Leading with { Karras = true }, PredictionType.Epsilon),
        ["euler_trailing"] = (SamplerName.Euler, Trailing, PredictionType.Epsilon),
        ["euler_a"] = (SamplerName.EulerAncestral, Leading, PredictionType.Epsilon),
        ["euler_a_trailing"] = (SamplerName.EulerAncestral, Trailing, PredictionType.Epsilon),
        ["euler_a_linspace"] = (
            SamplerName.EulerAncestral, new NoiseSchedule { Spacing = TimestepSpacing.Linspace }, PredictionType.Epsilon),
        ["euler_a_v"] = (SamplerName.EulerAncestral, Trailing, PredictionType.Velocity),
        ["dpmpp_2m"] = (SamplerName.Dpmpp2M, null, PredictionType.Epsilon),
        ["dpmpp_2m_karras"] = (SamplerName.Dpmpp2M, null, PredictionType.Epsilon),
        ["dpmpp_2m_sde_karras"] = (SamplerName.Dpmpp2MSde, null, PredictionType.Epsilon),
        ["heun"] = (SamplerName.Heun, Leading, PredictionType.Epsilon),
        ["lms"] = (SamplerName.Lms, Leading, PredictionType.Epsilon),
        ["ddim"] = (SamplerName.Ddim, Leading, PredictionType.Epsilon),
        ["unipc"] = (SamplerName.UniPcBh2, null, PredictionType.Epsilon),
        ["lcm"] = (SamplerName.Lcm, null, PredictionType.Epsilon),
        ["tcd"] = (SamplerName.Tcd, null, PredictionType.Epsilon),
        ["ddpm"] = (SamplerName.Ddpm, Leading, PredictionType.Epsilon),
    };

    // The cases whose latents diffusers scales to a variance of 1, except after a step to sigma 0.
    private static readonly HashSet<string> Scaled =
        ["dpmpp_2m", "dpmpp_2m_karras", "dpmpp_2m_sde_karras", "ddim", "unipc", "lcm", "tcd", "ddpm"];

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
                Func<SigmaSchedule, Sampler> create = KDiffusion[sampler];
                found.Add(sampler);
                SigmaSchedule schedule = SigmaSchedule.FromSigmas(golden.Floats(prefix + "sigmas"));
                float[] drawn = golden.Names.Contains(prefix + "drawn") ? golden.Floats(prefix + "drawn") : [];
                Sampler made = create(schedule);
                List<float[]> after = Run(made, golden.Floats(prefix + "x0"), drawn, Denoise);
                float[] final = after[^1];
                List<float[]> before = [golden.Floats(prefix + "x0")];
                for (int i = 1; i < after.Count; i++)
                    if (made.Evaluations[i].Step == before.Count) before.Add(after[i - 1]);
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
                found.Add(parts[0]);
                CompareWithDiffusers(golden, parts[0], int.Parse(parts[1], CultureInfo.InvariantCulture));
            }
        }

        Assert.Equal(Diffusers.Count, found.Count);
    }

    private static void CompareWithDiffusers(GoldenFile golden, string name, int steps)
    {
        string prefix = $"{name}.{steps}.";
        (SamplerName sampler, NoiseSchedule? choice, PredictionType type) = Diffusers[name];
        var trained = new TrainedSchedule(type, zeroTerminalSnr: false);
        float[] timesteps = golden.Floats(prefix + "timesteps");
        SigmaSchedule schedule = choice is null
            ? OfFile(golden, prefix, trained)
            : new SigmaSchedule(trained, choice, steps);
        // Heun's lists repeat what they use twice.
        if (golden.Names.Contains(prefix + "sigmas"))
            AssertClose(prefix + "sigmas", [.. golden.Floats(prefix + "sigmas").Distinct()], schedule.Sigmas);
        if (choice is not null) AssertClose(prefix + "timesteps", [.. timesteps.Distinct()], schedule.Timesteps);
        float[] drawn = golden.Names.Contains(prefix + "drawn") ? golden.Floats(prefix + "drawn") : [];
        float[] start = golden.Floats(prefix + "x0");
        if (Scaled.Contains(name)) Scale(start, schedule.Sigmas[0]);
        Prediction prediction = Prediction.Of(type);
        Sampler made = SamplerCatalog.BuiltIn.Create(new PictureRequest { Prompt = "", Sampler = sampler }, schedule);
        List<float[]> after = Run(made, start, drawn, Predict);
        float[] expected = golden.Floats(prefix + "latents");
        int length = start.Length;
        Assert.Equal(expected.Length, after.Count * length);
        for (int i = 0; i < after.Count; i++)
        {
            Span<float> latents = expected.AsSpan(i * length, length);
            if (Scaled.Contains(name) && i < after.Count - 1) Scale(latents, schedule.Sigmas[i + 1]);
            AssertClose($"{prefix}{i}", latents, after[i]);
        }

        static void Scale(Span<float> latents, float sigma)
        {
            foreach (ref float latent in latents) latent = (float)(latent * Math.Sqrt((double)sigma * sigma + 1));
        }

        void Predict(Evaluation evaluation, float[] latents, float[] denoised, float[] output)
        {
            Prediction.ScaleInput(latents, evaluation.Sigma, output);
            for (int i = 0; i < output.Length; i++) output[i] = FakeDenoiser.Predict(output[i], timesteps[evaluation.Index]);
            prediction.ToDenoised(latents, output, evaluation.Sigma, denoised);
            prediction.ToEpsilon(latents, output, evaluation.Sigma);
        }
    }

    // The made-up model of k-diffusion's runs.
    private static void Denoise(Evaluation evaluation, float[] latents, float[] denoised, float[] epsilon)
    {
        double s = evaluation.Sigma;
        for (int i = 0; i < latents.Length; i++)
        {
            double clean = MadeUpModel.Denoise(latents[i], s);
            denoised[i] = (float)clean;
            epsilon[i] = (float)((latents[i] - clean) / s);
        }
    }

    // diffusers' own schedule of a multistep solver or a consistency model, from its timesteps or, for Karras, from its noise levels.
    private static SigmaSchedule OfFile(GoldenFile golden, string prefix, TrainedSchedule trained) =>
        prefix.Contains("karras", StringComparison.Ordinal)
            ? SigmaSchedule.FromSigmas(golden.Floats(prefix + "sigmas"))
            : SigmaSchedule.OfTimesteps(trained, golden.Floats(prefix + "timesteps"));

    // Gives the latents after each evaluation.
    private static List<float[]> Run(
        Sampler sampler, float[] start, float[] drawn, Action<Evaluation, float[], float[], float[]> model)
    {
        float[] latents = [.. start], denoised = new float[start.Length], epsilon = new float[start.Length];
        float[] history = new float[sampler.History * start.Length];
        history.AsSpan().Fill(float.NaN);
        List<float[]> after = [];
        int next = 0;
        foreach (Evaluation evaluation in sampler.Evaluations)
        {
            model(evaluation, latents, denoised, epsilon);
            int draws = evaluation.NoiseDraws * start.Length;
            sampler.Advance(evaluation, new SamplerState(latents, denoised, epsilon, drawn.AsSpan(next, draws), history));
            next += draws;
            after.Add([.. latents]);
        }

        return after;
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
