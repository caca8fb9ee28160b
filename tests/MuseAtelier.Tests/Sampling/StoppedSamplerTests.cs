using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>Samplers over AUTOMATIC1111's kl_optimal, which ends at a noise level above 0.</summary>
public sealed class StoppedSamplerTests
{
    private const int Steps = 6;

    public static TheoryData<string> Samplers => [.. SamplerCatalog.BuiltIn.Names.Select(name => name.Id)];

    [Fact]
    public void Advance_OfEuler_EndsAtTheLeastLevel()
    {
        SamplingRecipe recipe = RecipeOf(SamplerName.Euler);
        ReadOnlySpan<float> sigmas = recipe.Schedule.Sigmas;
        double x = 10;
        for (int i = 0; i < Steps; i++) x += (x - Denoised(x, sigmas[i])) / sigmas[i] * (sigmas[i + 1] - sigmas[i]);
        float found = Run(recipe, 10);
        Assert.Equal(x, found, 1e-5 * Math.Abs(x));
        // With a step to 0, the result would be the denoised latents.
        Assert.NotEqual(Denoised(x, sigmas[Steps]), found, 1e-4);
    }

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Evaluations_OfEverySampler_EndBeforeTheLeastLevel(string name)
    {
        SamplingRecipe recipe = RecipeOf(new SamplerName(name));
        Assert.Equal(Trained.Epsilon.ExactSigmas[0], recipe.Schedule.Sigmas[^1], 1e-7);
        Assert.Equal(Steps, recipe.Evaluations[^1].Step + 1);
        Assert.Equal(Steps, recipe.Schedule.Steps);
        Assert.True(float.IsFinite(Run(recipe, 10)));
        bool isTwice = recipe.Sampler is StoppedSampler && recipe.Evaluations.Length == 2 * Steps;
        Assert.True(isTwice || recipe.Evaluations.Length == Steps, $"{recipe.Evaluations.Length} evaluations");
    }

    [Fact]
    public void BeginAt_OfALaterStep_ReadsNoHistoryFromBefore()
    {
        SamplingRecipe recipe = RecipeOf(SamplerName.Dpmpp2M);
        recipe.Sampler.BeginAt(3);
        Evaluation evaluation = recipe.Evaluations[3];
        float[] latents = [1];
        recipe.Sampler.Advance(evaluation, new SamplerState(latents, [0.5f], [0.1f], [], [float.NaN]));
        Assert.True(float.IsFinite(latents[0]));
    }

    [Fact]
    public void Of_AThousandSteps_IsRefused()
    {
        Assert.Throws<StepCountException>(() => RecipeOf(SamplerName.Euler, 1000));
        Assert.Equal(999, RecipeOf(SamplerName.Euler, 999).Evaluations.Length);
    }

    private static SamplingRecipe RecipeOf(SamplerName sampler, int steps = Steps)
    {
        var request = new PictureRequest
        {
            Prompt = "",
            Sampler = sampler,
            Steps = steps,
            Dialect = SamplingDialect.A1111,
            Schedule = new NoiseSchedule { Spacing = TimestepSpacing.KlOptimal },
        };
        return SamplingRecipe.Of(request, Trained.Epsilon, SamplerCatalog.BuiltIn);
    }

    private static float Run(SamplingRecipe recipe, float start)
    {
        float[] latents = [start], denoised = [0], epsilon = [0], noise = [0.1f, 0.2f], history = new float[recipe.Sampler.History];
        foreach (Evaluation evaluation in recipe.Evaluations)
        {
            denoised[0] = (float)Denoised(latents[0], evaluation.Sigma);
            epsilon[0] = (latents[0] - denoised[0]) / evaluation.Sigma;
            recipe.Sampler.Advance(evaluation, new SamplerState(latents, denoised, epsilon, noise, history));
        }

        return latents[0];
    }

    private static double Denoised(double x, double s) => x / (1 + s * s) + 0.2 * s / (1 + s) * Math.Sin(0.7 * x + s / 20);
}
