using MuseAtelier.Sampling;

namespace MuseAtelier.Tests.Requests;

public sealed class StepSpanTests
{
    private static readonly SourceImage Image = new(256, 256, new byte[256 * 256 * 3]);

    [Theory]
    [InlineData(20, 0.6f, 12)]
    [InlineData(20, 0.9f, 18)]
    [InlineData(100, 0.29f, 28)] // 28.999999999999996 in the reference
    [InlineData(20, 0.55f, 11)]
    [InlineData(30, 1f, 30)]
    [InlineData(4, 0.1f, 1)]
    [InlineData(20, 0f, 0)]
    public void Of_Diffusers_RunsTheShareOfTheSteps(int steps, float strength, int run) =>
        Assert.Equal(new StepSpan(steps, run), StepSpan.Of(SamplingDialect.Diffusers, steps, strength));

    [Theory]
    [InlineData(20, 0.75f, 16)]
    [InlineData(20, 0.6f, 13)]
    [InlineData(20, 1f, 20)]
    [InlineData(20, 0.01f, 1)]
    [InlineData(2000, 1f, 1999)]
    [InlineData(20, 0f, 0)]
    public void Of_A1111_RunsOneStepMoreThanItsShare(int steps, float strength, int run) =>
        Assert.Equal(new StepSpan(steps, run), StepSpan.Of(SamplingDialect.A1111, steps, strength));

    [Theory]
    [InlineData(20, 0.6f, 33)]
    [InlineData(20, 0.75f, 26)]
    [InlineData(30, 0.99995f, 30)]
    [InlineData(30, 0.9998f, 30)]
    [InlineData(30, 1f, 30)]
    [InlineData(20, 0.02f, 1000)]
    public void Of_Comfy_RunsAllStepsOfALongerSchedule(int steps, float strength, int schedule) =>
        Assert.Equal(new StepSpan(schedule, steps), StepSpan.Of(SamplingDialect.Comfy, steps, strength));

    [Fact]
    public void Of_ComfyWithAListOfTimesteps_RunsTheRoundedShareOfIt()
    {
        Assert.Equal(new StepSpan(4, 2), StepSpan.Of(SamplingDialect.Comfy, 4, 0.6f, isFixed: true));
        Assert.Equal(new StepSpan(4, 1), StepSpan.Of(SamplingDialect.Comfy, 4, 0.1f, isFixed: true));
    }

    [Theory]
    [InlineData(15, 0.5f, 30)]
    [InlineData(20, 0.6f, 33)]
    [InlineData(30, 1f, 30)]
    public void Exactly_RunsTheStepsThatAreAskedFor(int steps, float strength, int schedule) =>
        Assert.Equal(new StepSpan(schedule, steps), StepSpan.Exactly(steps, strength));

    [Fact]
    public void Of_AScheduleThatIsTooLong_SaysSoBeforeAnythingIsPainted()
    {
        PictureRequest request = new()
        {
            Prompt = "",
            Dialect = SamplingDialect.Comfy,
            Steps = 30,
            Source = new PictureSource(Image) { Strength = 0.01f },
        };
        StepCountException refusal = Assert.Throws<StepCountException>(() => RequestRules.Check(request));
        Assert.Equal(30, refusal.Steps);
        Assert.Contains("3000 steps", refusal.Found, StringComparison.Ordinal);
        Assert.Throws<StepCountException>(() => StepSpan.Exactly(30, 0.01f));
    }

    [Theory]
    [InlineData("euler", SamplingDialect.Diffusers, 0.5f, 10, 10)]
    [InlineData("heun", SamplingDialect.Diffusers, 0.5f, 20, 19)]
    [InlineData("euler", SamplingDialect.A1111, 0.5f, 9, 11)]
    [InlineData("euler", SamplingDialect.Comfy, 0.5f, 20, 20)]
    [InlineData("dpm_2", SamplingDialect.Comfy, 0.5f, 40, 39)]
    [InlineData("ddim", SamplingDialect.A1111, 0.5f, 9, 10)]
    [InlineData("ddim", SamplingDialect.A1111, 0.01f, 18, 1)]
    [InlineData("euler", SamplingDialect.Diffusers, 0f, 20, 0)]
    public void Recipe_OfASource_RunsTheLastEvaluations(string sampler, SamplingDialect dialect, float strength, int first, int run)
    {
        PictureRequest request = new()
        {
            Prompt = "",
            Sampler = SamplerCatalog.BuiltIn.Find(sampler)!.Value,
            Dialect = dialect,
            Steps = 20,
            GuidanceScale = 1,
            Source = new PictureSource(Image) { Strength = strength },
        };
        SamplingRecipe recipe = SamplingRecipe.Of(request, Support.Trained.Epsilon, SamplerCatalog.BuiltIn);
        Assert.Equal((first, run), (recipe.FirstEvaluation, recipe.EvaluationsRun));
        Assert.Equal(run, SamplerCatalog.BuiltIn.EvaluationsOf(request));
        Assert.Equal(run, SamplerCatalog.BuiltIn.EvaluationsOfThePromptAlone(request));
    }
}
