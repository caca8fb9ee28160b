using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>The strength of the noise in every step.</summary>
public sealed class SamplerEtaTests
{
    private const int Count = 64;

    private static readonly SigmaSchedule Schedule =
        new(Trained.Epsilon, new NoiseSchedule { Spacing = TimestepSpacing.Linspace, Karras = true }, 10);

    [Theory]
    [InlineData("euler_a", 1f)]
    [InlineData("dpm_2_ancestral", 1f)]
    [InlineData("dpmpp_2s_ancestral", 1f)]
    [InlineData("dpmpp_2m_sde", 1f)]
    [InlineData("dpmpp_2m_sde_heun", 1f)]
    [InlineData("dpmpp_3m_sde", 1f)]
    [InlineData("dpmpp_sde", 1f)]
    [InlineData("ddim", 0f)]
    [InlineData("tcd", 0.3f)]
    public void Create_OfASamplerWithEta_HasADefaultAndDrawsNothingFor0(string name, float standard)
    {
        Assert.Equal(Run(name, standard), Run(name, null));
        Assert.NotEqual(Run(name, 0.7f), Run(name, null));
        Assert.All(Create(name, 0).Evaluations.ToArray(), evaluation => Assert.Equal(0, evaluation.NoiseDraws));
        Assert.Contains(Create(name, 0.7f).Evaluations.ToArray(), evaluation => evaluation.NoiseDraws > 0);
    }

    [Theory]
    [InlineData("euler_a", "euler")]
    [InlineData("dpm_2_ancestral", "dpm_2")]
    [InlineData("dpmpp_2m_sde", "dpmpp_2m")]
    public void Create_WithEta0_IsTheSamplerWithoutNoise(string name, string same)
    {
        double[] expected = [.. Run(same, null).Select(value => (double)value)];
        Assert.True(MadeUpModel.RelativeError(expected, Run(name, 0)) <= 1e-6);
    }

    [Theory]
    [InlineData("euler", "euler_a")]
    [InlineData("heun", "euler_a")]
    [InlineData("ddpm", "euler_a")]
    public void Create_OfASamplerWithoutEta_IgnoresIt(string name, string other)
    {
        Assert.Equal(Run(name, null), Run(name, 0.5f));
        Assert.NotEqual(Run(other, 0.5f), Run(name, 0.5f));
    }

    [Fact]
    public void Advance_OfEulerAncestralWithEta_FollowsTheFormula()
    {
        double[] expected = Solve((x, s, next, noise) =>
        {
            double up = Math.Min(next, 0.6 * Math.Sqrt(next * next * (s * s - next * next) / (s * s)));
            double slope = (x - MadeUpModel.Denoise(x, s)) / s;
            return x + slope * (Math.Sqrt(next * next - up * up) - s) + noise * up;
        });
        Assert.True(MadeUpModel.RelativeError(expected, Run("euler_a", 0.6f)) <= 1e-6);
    }

    [Fact]
    public void Advance_OfDdimWithEta_FollowsTheFormulaOfDiffusers()
    {
        double least = Trained.Epsilon.Sigmas[0];
        double[] expected = Solve((x, s, next, noise) =>
        {
            double end = next > 0 ? next : least;
            double alpha = 1 / (1 + s * s), alphaNext = 1 / (1 + end * end), beta = 1 - alpha;
            double epsilon = (x - MadeUpModel.Denoise(x, s)) / s;
            double deviation = 0.6 * Math.Sqrt((1 - alphaNext) / beta * (1 - alpha / alphaNext));
            double scaled = Math.Sqrt(alphaNext) * MadeUpModel.Denoise(x, s)
                + Math.Sqrt(1 - alphaNext - deviation * deviation) * epsilon + deviation * noise;
            return next > 0 ? scaled / Math.Sqrt(alphaNext) : scaled;
        });
        Assert.True(MadeUpModel.RelativeError(expected, Run("ddim", 0.6f)) <= 1e-6);
    }

    [Fact]
    public void Advance_OfDpmpp2MSdeHeunWithEta_FollowsTheFormula()
    {
        double before = 0, lengthBefore = 0;
        double[] expected = Solve((x, s, next, noise) =>
        {
            double clean = MadeUpModel.Denoise(x, s);
            if (next == 0) return clean;
            double h = Math.Log(s / next), he = h * 1.6;
            double result = next / s * Math.Exp(-h * 0.6) * x + (1 - Math.Exp(-he)) * clean;
            if (s < Schedule.Sigmas[0]) result += ((Math.Exp(-he) - 1) / he + 1) * h / lengthBefore * (clean - before);
            (before, lengthBefore) = (clean, h);
            return result + noise * next * Math.Sqrt(1 - Math.Exp(-2 * h * 0.6));
        });
        Assert.True(MadeUpModel.RelativeError(expected, Run("dpmpp_2m_sde_heun", 0.6f)) <= 1e-6);
    }

    [Fact]
    public void NoiseInterval_OfEveryDraw_IsThatOfItsStep()
    {
        Sampler single = Create("euler_a", null);
        for (int step = 0; step < 9; step++)
            Assert.Equal((Schedule.Sigmas[step], Schedule.Sigmas[step + 1]), single.NoiseInterval(single.Evaluations[step], 0));
        Assert.Equal((Schedule.Sigmas[9], 0), single.NoiseInterval(single.Evaluations[9], 0));
        Sampler twice = Create("dpm_2_ancestral", null);
        Assert.Equal((Schedule.Sigmas[3], Schedule.Sigmas[4]), twice.NoiseInterval(twice.Evaluations[7], 0));
        Sampler sde = Create("dpmpp_sde", null);
        Assert.Equal((Schedule.Sigmas[3], sde.Evaluations[7].Sigma), sde.NoiseInterval(sde.Evaluations[6], 0));
        Assert.Equal((Schedule.Sigmas[3], Schedule.Sigmas[4]), sde.NoiseInterval(sde.Evaluations[7], 0));
        Assert.Equal(Math.Sqrt(Schedule.Sigmas[3] * Schedule.Sigmas[4]), sde.Evaluations[7].Sigma, 1e-5);
    }

    private static Sampler Create(string name, float? eta) => SamplerCatalog.BuiltIn.Create(
        new PictureRequest { Prompt = "", Sampler = new SamplerName(name), Eta = eta }, Schedule);

    private static float[] Run(string name, float? eta) =>
        MadeUpModel.Run(Create(name, eta), Start(), MadeUpModel.Draw(6, Count * 20));

    private static float[] Start() => [.. MadeUpModel.Draw(5, Count).Select(value => value * Schedule.Sigmas[0])];

    // Follows one formula through all steps, with one draw in each.
    private static double[] Solve(Func<double, double, double, double, double> step)
    {
        float[] start = Start(), noise = MadeUpModel.Draw(6, Count * 20);
        double[] results = new double[Count];
        for (int i = 0; i < Count; i++)
        {
            results[i] = start[i];
            for (int k = 0; k < Schedule.Steps; k++)
                results[i] = step(results[i], Schedule.Sigmas[k], Schedule.Sigmas[k + 1], noise[k * Count + i]);
        }

        return results;
    }
}
