using MuseAtelier.Format;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

/// <summary>The rescaling of guided predictions, against direct computations in double precision.</summary>
public sealed class GuidanceRescaleTests(NarrowAtelier narrow)
{
    private const int Length = 4 * 16 * 12;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0.7f, 7f)]
    [InlineData(1f, 3.5f)]
    [InlineData(0.05f, 100f)]
    public void Apply_OfDiffusers_IsRescaleNoiseCfg(float share, float scale)
    {
        foreach (PredictionType type in Enum.GetValues<PredictionType>())
        {
            Sample sample = new(scale);
            float[] result = sample.Rescaled(share, SamplingDialect.Diffusers, type, 3);
            double factor = share * Deviation(sample.Prompt) / Deviation(sample.Guided) + 1 - share;
            for (int i = 0; i < Length; i++) Assert.Equal(sample.Guided[i] * factor, result[i], 1e-6 * (1 + Math.Abs(sample.Guided[i])));
        }
    }

    // comfy_extras/nodes_model_advanced.py, RescaleCFG, with its inputs x - D.
    [Theory]
    [InlineData(SamplingDialect.Comfy, 14.614643f)]
    [InlineData(SamplingDialect.Comfy, 1.3f)]
    [InlineData(SamplingDialect.A1111, 0.3f)]
    public void Apply_OfTheOthers_IsRescaleCfgOnTheVelocity(SamplingDialect dialect, float sigma)
    {
        const double share = 0.7f;
        foreach (PredictionType type in Enum.GetValues<PredictionType>())
        {
            Sample sample = new(6);
            float[] result = sample.Rescaled((float)share, dialect, type, sigma);
            DenoisedMap map = Prediction.Of(type).MapAt(sigma);
            double s = sigma, root = Math.Sqrt(s * s + 1);
            double[] x = sample.Latents(sigma);
            double[] prompt = Velocities(sample.Prompt), negative = Velocities(sample.Negative);
            double[] guided = [.. prompt.Select((value, i) => negative[i] + 6 * (value - negative[i]))];
            double factor = share * Deviation(prompt) / Deviation(guided) + 1 - share;
            for (int i = 0; i < Length; i++)
            {
                double expected = x[i] / (s * s + 1) - guided[i] * factor * s / root;
                double denoised = map.Latents * x[i] + map.Output * result[i];
                Assert.Equal(expected, denoised, 1e-6 * (1 + Math.Abs(x[i]) + Math.Abs(map.Output * result[i])));
            }

            double[] Velocities(double[] outputs) =>
                [.. outputs.Select((output, i) => (x[i] / (s * s + 1) - (map.Latents * x[i] + map.Output * output)) * root / s)];
        }
    }

    [Fact]
    public void Of_ARequestWithoutEffect_IsNull()
    {
        PictureRequest request = new() { Prompt = "" };
        Assert.Null(GuidanceRescale.Of(request));
        Assert.Null(GuidanceRescale.Of(request with { GuidanceRescale = 0.7f, GuidanceScale = 1 }));
        Assert.NotNull(GuidanceRescale.Of(request with { GuidanceRescale = 0.7f }));
    }

    [Fact]
    public async Task GenerateAsync_WithRescaling_ChangesThePictureAndAllocatesNothing()
    {
        Picture plain = await narrow.ReferenceAsync(TestAtelier.Small);
        Picture rescaled = await Paint(TestAtelier.Small with { GuidanceRescale = 0.7f });
        Picture comfy = await Paint(TestAtelier.Small with { GuidanceRescale = 0.7f, Dialect = SamplingDialect.Comfy });
        Assert.Equal(plain.Provenance.StepHashes[0], rescaled.Provenance.StepHashes[0]);
        Assert.NotEqual(plain.Provenance.StepHashes[1], rescaled.Provenance.StepHashes[1]);
        Assert.NotEqual(rescaled.Provenance.StepHashes[^1], comfy.Provenance.StepHashes[^1]);
        await Allocations.AssertNoneAsync(rescaled, () => Paint(TestAtelier.Small with { GuidanceRescale = 0.7f }));

        Task<Picture> Paint(PictureRequest request) => narrow.Atelier.GenerateAsync(request, cancellationToken: Cancellation);
    }

    private static double Deviation(double[] values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1));
    }

    private sealed class Sample
    {
        private readonly float _scale;
        private readonly float[] _latents = Draw(1);
        private readonly float[] _negative = Draw(2);
        private readonly float[] _prompt;

        public Sample(float scale)
        {
            _scale = scale;
            float[] difference = Draw(3);
            _prompt = [.. _negative.Select((value, i) => value + 0.4f * difference[i] + 0.1f)];
        }

        public double[] Prompt => Wide(_prompt);

        public double[] Negative => Wide(_negative);

        public double[] Guided => [.. Prompt.Select((value, i) => _negative[i] + _scale * (value - _negative[i]))];

        public double[] Latents(float sigma) => Wide(AtLevel(sigma));

        public float[] Rescaled(float share, SamplingDialect dialect, PredictionType type, float sigma)
        {
            var request = new PictureRequest { Prompt = "", GuidanceScale = _scale, GuidanceRescale = share, Dialect = dialect };
            float[] guided = [.. _prompt];
            Guidance.Apply(_negative, guided, _scale);
            GuidanceRescale.Of(request)!.Apply(AtLevel(sigma), _negative, guided, sigma, Prediction.Of(type).MapAt(sigma));
            return guided;
        }

        private static float[] Draw(ulong seed)
        {
            float[] drawn = new float[Length];
            new TorchCpuNoise(seed).Fill(drawn);
            return drawn;
        }

        private static double[] Wide(float[] values) => Array.ConvertAll(values, value => (double)value);

        private float[] AtLevel(float sigma) => [.. _latents.Select(value => value * MathF.Sqrt(sigma * sigma + 1))];
    }
}
