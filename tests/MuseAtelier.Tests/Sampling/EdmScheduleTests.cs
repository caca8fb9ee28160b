using MuseAtelier.Format;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>The schedules of models of the EDM formulation, and the noise that denoising begins with.</summary>
public sealed class EdmScheduleTests
{
    private static readonly PictureRequest Request = new() { Prompt = "", Sampler = SamplerName.Euler, Steps = 25 };

    // comfy/model_sampling.py, ModelSamplingContinuousEDM.set_parameters.
    [Theory]
    [InlineData(0.002f, 80f)]
    [InlineData(0.002f, 120f)]
    public void Levels_OfARange_HaveEvenLogarithms(float least, float most)
    {
        var trained = new TrainedSchedule(PredictionType.VelocityEdm, new SigmaRange(least, most));
        Assert.True(trained.IsContinuous);
        for (int t = 0; t < 1000; t++)
        {
            double expected = Math.Exp(Math.Log(least) + (Math.Log(most) - Math.Log(least)) * t / 999);
            Assert.Equal(1, trained.Sigmas[t] / expected, 1e-6);
            Assert.Equal(0.25 * Math.Log(expected), trained.TimestepAt(trained.Sigmas[t]), 1e-6);
            Assert.Equal(1, trained.Alphas[t] * (expected * expected + 1), 1e-6);
        }

        Assert.Equal((least, most), (trained.ExactSigmas[0], trained.ExactSigmas[999]));
    }

    // diffusers, scheduling_edm_euler.py: _compute_karras_sigmas, precondition_noise and init_noise_sigma.
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(25)]
    public void Recipe_OfAnEdmModel_HasKarrasSigmasOverTheWholeRange(int steps)
    {
        SamplingRecipe recipe = Recipe(Request with { Steps = steps }, Trained.Edm);
        Assert.IsType<EdmPrediction>(recipe.Prediction);
        Assert.Equal(steps, recipe.Evaluations.Length);
        double first = Math.Pow(80, 1 / 7.0), last = Math.Pow(0.002, 1 / 7.0);
        for (int i = 0; i < steps; i++)
        {
            double expected = Math.Pow(first + (steps == 1 ? 0 : i / (steps - 1.0)) * (last - first), 7);
            Evaluation evaluation = recipe.Evaluations[i];
            Assert.Equal(1, evaluation.Sigma / expected, 1e-6);
            Assert.Equal(0.25 * Math.Log(expected), evaluation.Timestep, 1e-6);
        }

        Assert.Equal(Math.Sqrt(80 * 80 + 1), recipe.InitialNoiseScale, 1e-5);
    }

    [Theory]
    [InlineData(TimestepSpacing.Leading)]
    [InlineData(TimestepSpacing.Trailing)]
    [InlineData(TimestepSpacing.Linspace)]
    [InlineData(TimestepSpacing.Normal)]
    [InlineData(TimestepSpacing.Exponential)]
    [InlineData(TimestepSpacing.SgmUniform)]
    [InlineData(TimestepSpacing.Simple)]
    [InlineData(TimestepSpacing.DdimUniform)]
    [InlineData(TimestepSpacing.Beta)]
    [InlineData(TimestepSpacing.KlOptimal)]
    public void Recipe_OfEverySpacing_GivesAQuarterOfTheLogarithm(TimestepSpacing spacing)
    {
        foreach (bool karras in (bool[])[false, true])
        {
            var schedule = new NoiseSchedule { Spacing = spacing, Karras = karras };
            SamplingRecipe recipe = Recipe(Request with { Sampler = SamplerName.Heun, Steps = 10, Schedule = schedule }, Trained.Edm);
            foreach (Evaluation evaluation in recipe.Evaluations)
            {
                Assert.InRange(evaluation.Sigma, 0.0019f, 80.001f);
                Assert.Equal(0.25 * Math.Log(evaluation.Sigma), evaluation.Timestep, 1e-6);
            }
        }
    }

    // comfy/samplers.py, normal_scheduler: timesteps from 0.25 ln 80 to 0.25 ln 0.002.
    [Fact]
    public void Recipe_OfComfysNormalSchedule_HasEvenTimesteps()
    {
        var schedule = new NoiseSchedule { Spacing = TimestepSpacing.Normal };
        SamplingRecipe recipe = Recipe(Request with { Steps = 5, Schedule = schedule, Dialect = SamplingDialect.Comfy }, Trained.Edm);
        double first = 0.25 * Math.Log(80), last = 0.25 * Math.Log(0.002);
        for (int i = 0; i < 5; i++) Assert.Equal(first + (last - first) * i / 4, recipe.Evaluations[i].Timestep, 1e-6);
    }

    // s is the first noise level. diffusers has sqrt(s^2 + 1) with leading spacing alone, AUTOMATIC1111 s, and ComfyUI sqrt(s^2 + 1) where
    // s is the largest trained level.
    [Theory]
    [InlineData(SamplingDialect.Diffusers, TimestepSpacing.Leading, true)]
    [InlineData(SamplingDialect.Diffusers, TimestepSpacing.Trailing, false)]
    [InlineData(SamplingDialect.A1111, TimestepSpacing.Leading, false)]
    [InlineData(SamplingDialect.A1111, TimestepSpacing.Normal, false)]
    [InlineData(SamplingDialect.Comfy, TimestepSpacing.Normal, true)]
    [InlineData(SamplingDialect.Comfy, TimestepSpacing.Simple, true)]
    [InlineData(SamplingDialect.Comfy, TimestepSpacing.DdimUniform, false)]
    public void InitialNoise_OfADialect_IsItsPrograms(SamplingDialect dialect, TimestepSpacing spacing, bool hasPicture)
    {
        PictureRequest request = Request with { Dialect = dialect, Schedule = new NoiseSchedule { Spacing = spacing } };
        foreach (TrainedSchedule trained in (TrainedSchedule[])[Trained.Epsilon, Trained.ZeroSnr])
        {
            SamplingRecipe recipe = Recipe(request, trained);
            double s = recipe.Schedule.Sigmas[0];
            double expected = hasPicture ? Math.Sqrt(s * s + 1) : s;
            Assert.Equal(1, recipe.InitialNoiseScale / expected, 1e-6);
        }
    }

    // The clean latents are 0.7 whatever the network is given, so that every method must end there, but for the noise of the least levels.
    [Theory]
    [InlineData(SamplingDialect.Diffusers)]
    [InlineData(SamplingDialect.A1111)]
    [InlineData(SamplingDialect.Comfy)]
    public void EverySampler_OfEveryTrainedSchedule_EndsAtTheCleanLatents(SamplingDialect dialect)
    {
        foreach (SamplerName sampler in SamplerCatalog.BuiltIn.Names)
        {
            foreach (TrainedSchedule trained in (TrainedSchedule[])[Trained.Epsilon, Trained.ZeroSnr, Trained.Edm])
            {
                SamplingRecipe recipe = Recipe(Request with { Sampler = sampler, Dialect = dialect, Steps = 8 }, trained);
                foreach (Evaluation evaluation in recipe.Evaluations)
                    Assert.Equal(trained.TimestepAt(evaluation.Sigma), evaluation.Timestep, trained.IsContinuous ? 1e-5f : 20);
                float[] latents = Paint(recipe, 0.7f);
                Assert.All(latents, latent => Assert.Equal(0.7f, latent, 0.2f));
            }
        }
    }

    // Runs a sampler on a network that predicts a number, whatever it is given.
    private static float[] Paint(SamplingRecipe recipe, float clean)
    {
        const int length = 16;
        float[] latents = MadeUpModel.Draw(1, length);
        for (int i = 0; i < length; i++) latents[i] *= recipe.InitialNoiseScale;
        float[] denoised = new float[length], epsilon = new float[length], history = new float[recipe.Sampler.History * length];
        denoised.AsSpan().Fill(clean);
        foreach (Evaluation evaluation in recipe.Evaluations)
        {
            for (int i = 0; i < length; i++) epsilon[i] = (latents[i] - clean) / evaluation.Sigma;
            float[] noise = evaluation.NoiseDraws == 0 ? [] : MadeUpModel.Draw((ulong)evaluation.Index, evaluation.NoiseDraws * length);
            recipe.Sampler.Advance(evaluation, new SamplerState(latents, denoised, epsilon, noise, history));
            denoised.AsSpan().Fill(clean);
        }

        return latents;
    }

    private static SamplingRecipe Recipe(PictureRequest request, TrainedSchedule trained) =>
        SamplingRecipe.Of(request, trained, SamplerCatalog.BuiltIn);
}
