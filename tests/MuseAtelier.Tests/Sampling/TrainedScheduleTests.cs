using MuseAtelier.Format;
using MuseAtelier.Sampling;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Sampling;

public sealed class TrainedScheduleTests
{
    [Fact]
    public void Sigmas_OfSdxl_SpanItsKnownRange()
    {
        Assert.Equal(1000, Trained.Epsilon.Sigmas.Length);
        Assert.Equal(0.0291672, Trained.Epsilon.Sigmas[0], 1e-6);
        Assert.Equal(14.6146, Trained.Epsilon.Sigmas[^1], 1e-4);
        Assert.Equal(Trained.Epsilon.Sigmas, Trained.Velocity.Sigmas);
        for (int t = 0; t < 1000; t++)
        {
            double alpha = Trained.Epsilon.Alphas[t];
            Assert.Equal(1, Trained.Epsilon.Sigmas[t] / Math.Sqrt((1 - alpha) / alpha), 1e-4);
        }
    }

    // The values that ComfyUI's and Forge's formula gives in double precision.
    [Fact]
    public void Sigmas_WithZeroTerminalSnr_AreComfys()
    {
        ReadOnlySpan<float> sigmas = Trained.ZeroSnr.Sigmas;
        Assert.Equal(0.0291672, sigmas[0], 1e-6);
        Assert.Equal(1, sigmas[998] / 2254.238, 1e-4);
        Assert.Equal(1, sigmas[999] / 4518.764, 1e-6);
        for (int t = 1; t < 1000; t++) Assert.True(sigmas[t] > sigmas[t - 1]);
        for (int t = 0; t < 999; t++)
        {
            double first = Math.Sqrt(Trained.Epsilon.Alphas[0]), last = Math.Sqrt(Trained.Epsilon.Alphas[999]);
            double root = (Math.Sqrt(Trained.Epsilon.Alphas[t]) - last) * first / (first - last);
            Assert.Equal(1, sigmas[t] / Math.Sqrt((1 - root * root) / (root * root)), 1e-3);
        }
    }

    [Fact]
    public void Of_AModel_TakesItsPrediction()
    {
        ModelSpec model = Spec(PredictionType.Velocity, zeroTerminalSnr: true);
        TrainedSchedule schedule = TrainedSchedule.Of(model);
        Assert.Equal(PredictionType.Velocity, schedule.Prediction);
        Assert.Equal(Trained.ZeroSnr.Sigmas, schedule.Sigmas);
        Assert.Equal(Trained.Epsilon.Sigmas, TrainedSchedule.Of(Spec(PredictionType.Epsilon, zeroTerminalSnr: false)).Sigmas);
    }

    [Fact]
    public void SigmaSchedule_WithZeroTerminalSnr_BeginsAtTheLastSigma()
    {
        var schedule = new SigmaSchedule(Trained.ZeroSnr, new NoiseSchedule { Spacing = TimestepSpacing.Trailing }, 20);
        Assert.Equal(Trained.ZeroSnr.Sigmas[999], schedule.Sigmas[0]);
        Assert.Equal(schedule.Sigmas[0], schedule.InitialNoiseScale);
        Assert.Equal(999, schedule.TimestepOf(schedule.Sigmas[0]));
    }

    [Theory]
    [InlineData(new float[] { 0 })]
    [InlineData(new float[] { 1, 2, 0 })]
    [InlineData(new float[] { 2, 1 })]
    [InlineData(new float[] { float.NaN, 0 })]
    [InlineData(new float[] { float.PositiveInfinity, 0 })]
    [InlineData(new float[] { 1, -1, 0 })]
    public void FromSigmas_OfNoSchedule_Refuses(float[] sigmas) =>
        Assert.Throws<ArgumentException>(() => SigmaSchedule.FromSigmas(sigmas));

    internal static ModelSpec Spec(PredictionType prediction, bool zeroTerminalSnr) => new()
    {
        InputChannels = 4,
        LatentChannels = 4,
        ClipLWidth = 1,
        ClipGWidth = 1,
        PooledWidth = 1,
        TextLength = 77,
        LatentScale = 1,
        Parameters = 1,
        Prediction = prediction,
        ZeroTerminalSnr = zeroTerminalSnr,
        Sigmas = SigmaRange.Of(prediction),
    };
}
