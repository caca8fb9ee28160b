using MuseAtelier.Format;
using MuseAtelier.Sampling;

namespace MuseAtelier.Tests.Sampling;

/// <summary>The factor of the initial noise in each program.</summary>
public sealed class InitialNoiseTests
{
    /// <summary>True means sqrt(sigma^2 + 1), false means sigma.</summary>
    [Theory]
    [InlineData(SamplingDialect.Diffusers, "euler", TimestepSpacing.Automatic, true)]
    [InlineData(SamplingDialect.Diffusers, "euler", TimestepSpacing.Linspace, false)]
    [InlineData(SamplingDialect.Diffusers, "uni_pc_bh2", TimestepSpacing.Linspace, true)]
    [InlineData(SamplingDialect.Diffusers, "lcm", TimestepSpacing.Automatic, true)]
    [InlineData(SamplingDialect.A1111, "euler", TimestepSpacing.Automatic, false)]
    [InlineData(SamplingDialect.A1111, "euler", TimestepSpacing.Leading, false)]
    [InlineData(SamplingDialect.A1111, "ddim", TimestepSpacing.Automatic, true)]
    [InlineData(SamplingDialect.A1111, "uni_pc", TimestepSpacing.Automatic, true)]
    [InlineData(SamplingDialect.Comfy, "euler", TimestepSpacing.Automatic, true)]
    [InlineData(SamplingDialect.Comfy, "euler", TimestepSpacing.DdimUniform, false)]
    public void Of_OfARequest_ScalesNoiseAsTheProgramDoes(SamplingDialect dialect, string sampler, TimestepSpacing spacing, bool isWhole)
    {
        var request = new PictureRequest
        {
            Prompt = "",
            Dialect = dialect,
            Sampler = new SamplerName(sampler),
            Steps = 8,
            Schedule = new NoiseSchedule { Spacing = spacing },
        };
        var trained = new TrainedSchedule(PredictionType.Epsilon, zeroTerminalSnr: false);
        var recipe = SamplingRecipe.Of(request, trained, SamplerCatalog.BuiltIn);
        double sigma = recipe.Schedule.Sigmas[0];
        Assert.Equal(isWhole ? Math.Sqrt(sigma * sigma + 1) : sigma, recipe.InitialNoiseScale, 1e-5);
    }
}
