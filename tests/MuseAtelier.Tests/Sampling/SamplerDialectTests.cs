using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>Samplers that programs compute in different ways.</summary>
public sealed class SamplerDialectTests
{
    [Theory]
    [InlineData(1, 1, 501)]
    [InlineData(2, 1, 501)]
    [InlineData(20, 19, 951)]
    [InlineData(30, 30, 991)]
    [InlineData(600, 999, 999)]
    [InlineData(1000, 999, 999)]
    public void ScheduleOf_DdimInAutomatic1111_HasItsTimesteps(int steps, int expected, int first)
    {
        var request = new PictureRequest { Prompt = "", Sampler = SamplerName.Ddim, Steps = steps, Dialect = SamplingDialect.A1111 };
        SigmaSchedule schedule = SamplerCatalog.BuiltIn.ScheduleOf(request, Trained.Epsilon);
        int stride = 1000 / Math.Max(steps, 2);
        Assert.Equal((expected, first), (schedule.Steps, (int)schedule.Timesteps[0]));
        Assert.Equal(stride + 1, schedule.Timesteps[^1]);
        Assert.Equal(Trained.Epsilon.Sigmas[first], schedule.Sigmas[0]);
        Assert.Equal(expected, SamplerCatalog.BuiltIn.EvaluationsOf(request));
        SigmaSchedule chosen = SamplerCatalog.BuiltIn.ScheduleOf(
            request with { Schedule = new NoiseSchedule { Spacing = TimestepSpacing.Trailing } }, Trained.Epsilon);
        Assert.Equal(steps, chosen.Steps);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.5f)]
    public void Advance_OfDdimInAutomatic1111_FollowsItsLoop(float eta)
    {
        const int steps = 20, count = 64;
        var request = new PictureRequest
        {
            Prompt = "",
            Sampler = SamplerName.Ddim,
            Steps = steps,
            Dialect = SamplingDialect.A1111,
            Eta = eta,
        };
        SigmaSchedule schedule = SamplerCatalog.BuiltIn.ScheduleOf(request, Trained.Epsilon);
        float[] x = MadeUpModel.Draw(1, count), noise = MadeUpModel.Draw(2, count * steps);
        float[] start = [.. x.Select(value => value * schedule.InitialNoiseScale)];
        float[] result = MadeUpModel.Run(SamplerCatalog.BuiltIn.Create(request, schedule), start, noise);
        double[] alphas = [.. Trained.Epsilon.Sigmas.ToArray().Select(sigma => 1 / (1 + (double)sigma * sigma))];
        int[] timesteps = [.. Enumerable.Range(0, steps).Select(i => Math.Clamp(i * 50 + 1, 0, 999))];
        double[] expected = [.. x.Select(value => (double)value)];
        for (int i = 0; i < steps - 1; i++)
        {
            int index = steps - 1 - i;
            double alpha = alphas[timesteps[index]], previous = alphas[timesteps[index - 1]];
            double deviation = eta * Math.Sqrt((1 - previous) / (1 - alpha) * (1 - alpha / previous));
            for (int k = 0; k < count; k++)
            {
                double clean = MadeUpModel.Denoise(expected[k] / Math.Sqrt(alpha), Math.Sqrt((1 - alpha) / alpha));
                double epsilon = (expected[k] - Math.Sqrt(alpha) * clean) / Math.Sqrt(1 - alpha);
                expected[k] = Math.Sqrt(previous) * clean + Math.Sqrt(1 - previous - deviation * deviation) * epsilon
                    + deviation * noise[i * count + k];
            }
        }

        Assert.True(MadeUpModel.RelativeError(expected, result) <= 1e-6);
    }

    [Fact]
    public void Create_OfDdimInComfyUi_IsEuler()
    {
        SigmaSchedule schedule = new(Trained.Epsilon, new NoiseSchedule { Spacing = TimestepSpacing.Normal }, 8);
        float[] start = [.. MadeUpModel.Draw(1, 16).Select(value => value * schedule.Sigmas[0])];
        var request = new PictureRequest { Prompt = "", Sampler = SamplerName.Ddim, Dialect = SamplingDialect.Comfy };
        Assert.Equal(
            MadeUpModel.Run(new EulerSampler(schedule), start),
            MadeUpModel.Run(SamplerCatalog.BuiltIn.Create(request, schedule), start));
    }

    [Theory]
    [InlineData(SamplingDialect.A1111)]
    [InlineData(SamplingDialect.Comfy)]
    public void Advance_OfLcmInOtherPrograms_PutsNoiseOnTheDenoisedLatents(SamplingDialect dialect)
    {
        SigmaSchedule schedule = new(Trained.Epsilon, new NoiseSchedule { Spacing = TimestepSpacing.SgmUniform }, 4);
        float[] start = [.. MadeUpModel.Draw(1, 16).Select(value => value * schedule.Sigmas[0])], noise = MadeUpModel.Draw(2, 16 * 3);
        double[] expected = [.. start.Select(value => (double)value)];
        for (int step = 0; step < 4; step++)
        {
            for (int i = 0; i < expected.Length; i++)
            {
                expected[i] = MadeUpModel.Denoise(expected[i], schedule.Sigmas[step]);
                if (step < 3) expected[i] += schedule.Sigmas[step + 1] * noise[step * 16 + i];
            }
        }

        var request = new PictureRequest { Prompt = "", Sampler = SamplerName.Lcm, Dialect = dialect };
        float[] result = MadeUpModel.Run(SamplerCatalog.BuiltIn.Create(request, schedule), start, noise);
        Assert.True(MadeUpModel.RelativeError(expected, result) <= 1e-6);
    }
}
