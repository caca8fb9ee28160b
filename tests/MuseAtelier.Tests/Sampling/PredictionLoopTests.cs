using MuseAtelier.Format;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>
/// The denoising loop with the made-up UNet, every prediction, dialect and rescaling, against the same computation in double precision.
/// </summary>
public sealed class PredictionLoopTests
{
    private const int Length = 4 * 6 * 5;
    private const double Scale = 5;

    [Theory]
    [InlineData(ModelPrediction.Velocity)]
    [InlineData(ModelPrediction.VelocityZeroSnr)]
    [InlineData(ModelPrediction.Edm)]
    [InlineData(ModelPrediction.VelocityEdm)]
    [InlineData(ModelPrediction.Sample)]
    public void Run_OfEveryPrediction_IsTheComputationInDouble(ModelPrediction asked)
    {
        ModelSpec model = TrainedScheduleTests.Spec(PredictionType.Epsilon, zeroTerminalSnr: false);
        var trained = TrainedSchedule.Of(PredictionChoice.Of(model, asked));
        foreach (SamplingDialect dialect in Enum.GetValues<SamplingDialect>())
        {
            foreach (float rescale in (float[])[0, 0.7f])
            {
                var request = new PictureRequest
                {
                    Prompt = "",
                    Sampler = SamplerName.Euler,
                    Steps = 6,
                    GuidanceScale = (float)Scale,
                    GuidanceRescale = rescale,
                    Dialect = dialect,
                    Schedule = new NoiseSchedule { Spacing = TimestepSpacing.SgmUniform },
                    Seed = 3,
                };
                var recipe = SamplingRecipe.Of(request, trained, SamplerCatalog.BuiltIn);
                float[] latents = Run(recipe);
                double[] expected = Direct(recipe, trained, rescale, dialect != SamplingDialect.Diffusers);
                double largest = recipe.InitialNoiseScale + expected.Max(Math.Abs);
                for (int i = 0; i < Length; i++) Assert.Equal(expected[i], latents[i], 1e-6 * largest);
            }
        }
    }

    private static float[] Run(SamplingRecipe recipe)
    {
        var denoiser = new FakeDenoiser(recipe, 2, Length);
        PictureNoise noise = NoiseSourceCatalog.BuiltIn.Create(NoiseSource.Diffusers, 3);
        using var loop = new DenoisingLoop(
            recipe, [noise], BatchSlot.Alone, denoiser, DenoisingInputs.FromNoise, null, HostBuffers.Allocate);
        loop.Run(null!, _ => { }, TestContext.Current.CancellationToken);
        return loop.Latents(0).ToArray();
    }

    // Euler's method over the recipe's noise levels.
    private static double[] Direct(SamplingRecipe recipe, TrainedSchedule trained, double rescale, bool isOnVelocity)
    {
        float[] noise = new float[Length];
        new TorchCpuNoise(3).Fill(noise);
        double variance = trained.Prediction == PredictionType.Edm ? 0.25 : 1;
        double[] x = [.. noise.Select(value => (double)value * recipe.InitialNoiseScale)];
        for (int step = 0; step < recipe.Evaluations.Length; step++)
        {
            double s = recipe.Schedule.Sigmas[step], next = recipe.Schedule.Sigmas[step + 1];
            double t = trained.IsContinuous ? 0.25 * Math.Log(s) : recipe.Evaluations[step].Timestep;
            double[] prompt = Outputs(0), negative = Outputs(0.3);
            double[] guided = [.. prompt.Select((value, i) => negative[i] + Scale * (value - negative[i]))];
            double[] wholes = isOnVelocity ? Velocities(guided) : guided;
            double factor = rescale * Deviation(isOnVelocity ? Velocities(prompt) : prompt) / Deviation(wholes) + 1 - rescale;
            for (int i = 0; i < Length; i++)
            {
                double denoised = isOnVelocity
                    ? x[i] / (s * s + 1) - wholes[i] * factor * s / Math.Sqrt(s * s + 1)
                    : Denoised(trained.Prediction, x[i], guided[i] * factor, s);
                x[i] += (x[i] - denoised) / s * (next - s);
            }

            double[] Outputs(double phase) =>
                [.. x.Select(value => 0.8 * Math.Sin(0.7 * value / Math.Sqrt(s * s + variance) + t / 1000 + phase))];

            double[] Velocities(double[] outputs) => [.. outputs.Select((output, i) =>
                (x[i] / (s * s + 1) - Denoised(trained.Prediction, x[i], output, s)) * Math.Sqrt(s * s + 1) / s)];
        }

        return x;
    }

    private static double Denoised(PredictionType type, double x, double output, double s) => type switch
    {
        PredictionType.Edm => x * 0.25 / (s * s + 0.25) + output * s * 0.5 / Math.Sqrt(s * s + 0.25),
        PredictionType.Sample => output,
        _ => x / (s * s + 1) - output * s / Math.Sqrt(s * s + 1),
    };

    private static double Deviation(double[] values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
    }
}
