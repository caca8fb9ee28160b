using MuseAtelier.Format;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>What a UNet's output amounts to, against direct computations in double precision.</summary>
public sealed class PredictionTests
{
    private static readonly float[] Latents = [0.25f, -1.5f, 0.003f, 2, -0.7f, 1.1f];
    private static readonly float[] Output = [-0.4f, 0.9f, 1.7f, -0.02f, 0.6f, -1.3f];

    [Theory]
    [InlineData(nameof(PredictionType.Epsilon))]
    [InlineData(nameof(PredictionType.Velocity))]
    [InlineData(nameof(PredictionType.VelocityEdm))]
    [InlineData(nameof(PredictionType.Edm))]
    [InlineData(nameof(PredictionType.Sample))]
    public void Resolve_OfEveryType_IsTheFormula(string name)
    {
        PredictionType type = Enum.Parse<PredictionType>(name);
        var prediction = Prediction.Of(type);
        foreach (float sigma in (float[])[0.002f, 0.0291675f, 0.5f, 3, 14.614643f, 80, 4518.764f])
        {
            float[] latents = [.. Latents.Select(value => value * MathF.Max(sigma, 1))];
            float[] denoised = new float[latents.Length];
            float[] epsilon = [.. Output];
            prediction.ToDenoised(latents, Output, sigma, denoised);
            prediction.ToEpsilon(latents, epsilon, sigma);
            DenoisedMap map = prediction.MapAt(sigma);
            for (int i = 0; i < latents.Length; i++)
            {
                double expected = Denoised(type, latents[i], Output[i], sigma), scale = Math.Abs(latents[i]) + 1 + sigma;
                Assert.Equal(expected, denoised[i], 1e-6 * scale);
                Assert.Equal(expected, map.Latents * latents[i] + map.Output * Output[i], 1e-6 * scale);
                Assert.Equal(Noise(type, latents[i], Output[i], sigma), epsilon[i], 1e-6 * scale / sigma);
            }
        }
    }

    [Theory]
    [InlineData(nameof(PredictionType.Epsilon), 1.0)]
    [InlineData(nameof(PredictionType.VelocityEdm), 1.0)]
    [InlineData(nameof(PredictionType.Edm), 0.25)]
    public void ScaleInput_DividesByTheDeviationOfSignalAndNoise(string name, double variance)
    {
        PredictionType type = Enum.Parse<PredictionType>(name);
        foreach (float sigma in (float[])[0.002f, 1, 80])
        {
            float[] input = new float[Latents.Length];
            Prediction.ScaleInput(Latents, sigma, input, Prediction.Of(type).DataVariance);
            for (int i = 0; i < input.Length; i++)
                Assert.Equal(Latents[i] / Math.Sqrt((double)sigma * sigma + variance), input[i], 1e-6 * Math.Abs(input[i]));
        }
    }

    // Karras et al. (2022), table 1, with sigma_data 0.5: what Playground 2.5's numbers are.
    [Fact]
    public void MapAt_OfEdm_IsKarrasPreconditioning()
    {
        DenoisedMap map = new EdmPrediction().MapAt(0.5f);
        Assert.Equal(0.5, map.Latents, 1e-12);
        Assert.Equal(0.5 * 0.5 / Math.Sqrt(0.5), map.Output, 1e-12);
        Assert.Equal(0.25f, new EdmPrediction().DataVariance);
    }

    [Theory]
    [InlineData(ModelPrediction.Automatic, nameof(PredictionType.Velocity), true, "the model's file says so: it has a tensor 'v_pred'")]
    [InlineData(ModelPrediction.Epsilon, nameof(PredictionType.Epsilon), false, "the request says so")]
    [InlineData(ModelPrediction.Velocity, nameof(PredictionType.Velocity), false, "the request says so")]
    [InlineData(ModelPrediction.VelocityZeroSnr, nameof(PredictionType.Velocity), true, "the request says so")]
    [InlineData(ModelPrediction.Edm, nameof(PredictionType.Edm), false, "the request says so")]
    [InlineData(ModelPrediction.VelocityEdm, nameof(PredictionType.VelocityEdm), false, "the request says so")]
    [InlineData(ModelPrediction.Sample, nameof(PredictionType.Sample), false, "the request says so")]
    public void Of_ARequest_OverridesTheManifest(ModelPrediction asked, string name, bool zeroSnr, string reason)
    {
        PredictionType type = Enum.Parse<PredictionType>(name);
        ModelSpec model = TrainedScheduleTests.Spec(PredictionType.Velocity, zeroTerminalSnr: true) with
        {
            PredictionMark = "it has a tensor 'v_pred'",
        };
        var choice = PredictionChoice.Of(model, asked);
        Assert.Equal((type, zeroSnr, reason), (choice.Type, choice.HasZeroTerminalSnr, choice.Reason));
        Assert.Equal(asked == ModelPrediction.Automatic ? ModelPrediction.VelocityZeroSnr : asked, choice.Used);
        Assert.Equal(SigmaRange.Of(type), choice.Sigmas);
        Assert.Equal(type, TrainedSchedule.Of(choice).Prediction);
        Assert.Equal(zeroSnr, TrainedSchedule.Of(choice).Sigmas[^1] > 4000);
    }

    [Fact]
    public void Of_ARequestForTheModelsOwnPrediction_KeepsItsRange()
    {
        ModelSpec model = TrainedScheduleTests.Spec(PredictionType.VelocityEdm, zeroTerminalSnr: false) with
        {
            Sigmas = new SigmaRange(0.01f, 50),
        };
        Assert.Equal(model.Sigmas, PredictionChoice.Of(model, ModelPrediction.VelocityEdm).Sigmas);
        Assert.Equal(model.Sigmas, PredictionChoice.Of(model, ModelPrediction.Automatic).Sigmas);
        Assert.Equal(new SigmaRange(0.002f, 80), PredictionChoice.Of(model, ModelPrediction.Edm).Sigmas);
        Assert.Equal("the model's file has no mark of another", PredictionChoice.Of(model, ModelPrediction.Automatic).Reason);
    }

    private static double Denoised(PredictionType type, double x, double output, double s)
    {
        const double data = 0.5;
        double variance = s * s + data * data;
        return type switch
        {
            PredictionType.Epsilon => x - s * output,
            PredictionType.Edm => x * data * data / variance + output * s * data / Math.Sqrt(variance),
            PredictionType.Sample => output,
            _ => x / (s * s + 1) - output * s / Math.Sqrt(s * s + 1),
        };
    }

    private static double Noise(PredictionType type, double x, double output, double s) => (x - Denoised(type, x, output, s)) / s;
}
