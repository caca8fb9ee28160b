using MuseAtelier.Format;

namespace MuseAtelier.Sampling;

/// <summary>
/// The noise levels that a model was trained on, and the quantity that it predicts. Most models were trained on 1000 timesteps: SDXL's
/// betas are the squares of 1000 values spaced evenly from sqrt(0.00085) to sqrt(0.012) (diffusers, "scaled_linear"). Models of the EDM
/// formulation were trained on a continuous range; they have 1000 levels here whose logarithms are even, as in ComfyUI
/// (comfy/model_sampling.py, ModelSamplingContinuousEDM), from which schedules that choose trained levels choose.
/// </summary>
internal sealed class TrainedSchedule
{
    /// <summary>The number of trained timesteps.</summary>
    public const int Steps = 1000;

    /// <summary>
    /// A bound of the timesteps of the EDM formulation: a quarter of the logarithm of the least positive number is above it.
    /// </summary>
    public const int LeastTimestep = -26;

    private const double FirstBeta = 0.00085;
    private const double LastBeta = 0.012;

    /// <summary>
    /// The last cumulative alpha of a schedule with zero terminal SNR. Exactly 0 would be an infinite sigma; this is the number of ComfyUI
    /// (comfy/model_sampling.py, rescale_zero_terminal_snr_sigmas) and Forge, and gives sigma 4518.76.
    /// </summary>
    private const double LastAlphaOfZeroSnr = 4.8973451890853435e-08;

    private readonly float[] _alphas;
    private readonly float[] _sigmas;
    private readonly float[] _exactSigmas;

    /// <summary>Computes the levels.</summary>
    /// <param name="prediction">The quantity that the model predicts.</param>
    /// <param name="zeroTerminalSnr">
    /// Whether the last timestep is noise alone (Lin et al., 2024, "Common Diffusion Noise Schedules and Sample Steps are Flawed").
    /// </param>
    public TrainedSchedule(PredictionType prediction, bool zeroTerminalSnr)
    {
        Prediction = prediction;
        double[] alphas = CumulativeAlphas();
        if (zeroTerminalSnr) RescaleToZeroSnr(alphas);
        // PyTorch rounds the cumulative product to single precision and computes sigma from the rounded number.
        _alphas = Array.ConvertAll(alphas, alpha => (float)alpha);
        _sigmas = Array.ConvertAll(_alphas, alpha => MathF.Sqrt((1 - alpha) / alpha));
        double[] exact = ExactCumulativeAlphas();
        if (zeroTerminalSnr) RescaleToZeroSnr(exact);
        _exactSigmas = Array.ConvertAll(exact, alpha => (float)Math.Sqrt((1 - alpha) / alpha));
    }

    /// <summary>Computes the levels of a model of the EDM formulation.</summary>
    /// <param name="prediction">The quantity that the model predicts.</param>
    /// <param name="range">The continuous range of noise levels.</param>
    public TrainedSchedule(PredictionType prediction, SigmaRange range)
    {
        Prediction = prediction;
        IsContinuous = true;
        double first = Math.Log(range.Least), ratio = Math.Log((double)range.Most / range.Least);
        _exactSigmas = new float[Steps];
        for (int t = 0; t < Steps; t++) _exactSigmas[t] = (float)Math.Exp(first + ratio * t / (Steps - 1));
        (_exactSigmas[0], _exactSigmas[^1]) = (range.Least, range.Most);
        _sigmas = _exactSigmas;
        _alphas = Array.ConvertAll(_sigmas, sigma => (float)(1 / ((double)sigma * sigma + 1)));
    }

    /// <summary>The quantity that the model predicts.</summary>
    public PredictionType Prediction { get; }

    /// <summary>
    /// Whether the model was trained on a continuous range of noise levels. Its timestep is then a quarter of the noise level's logarithm,
    /// and not the index of a level.
    /// </summary>
    public bool IsContinuous { get; }

    /// <summary>[1000] cumulative products of 1 - beta, falling: the share of the picture in the variance at each timestep.</summary>
    public ReadOnlySpan<float> Alphas => _alphas;

    /// <summary>[1000] sigma = sqrt((1 - alpha) / alpha) at each timestep, rising.</summary>
    public ReadOnlySpan<float> Sigmas => _sigmas;

    /// <summary>
    /// [1000] the same as ComfyUI and AUTOMATIC1111 compute them, in double precision until the end. They differ by up to 1.3e-5 of
    /// themselves.
    /// </summary>
    public ReadOnlySpan<float> ExactSigmas => _exactSigmas;

    /// <summary>The least and the greatest of <see cref="Sigmas"/>.</summary>
    public LevelRange Range => new(_sigmas[0], _sigmas[^1]);

    /// <summary>The least and the greatest of <see cref="ExactSigmas"/>.</summary>
    public LevelRange ExactRange => new(_exactSigmas[0], _exactSigmas[^1]);

    /// <summary>The schedule of a package's model.</summary>
    public static TrainedSchedule Of(ModelSpec model) => Of(PredictionChoice.Of(model, ModelPrediction.Automatic));

    /// <summary>The schedule of a choice of the prediction.</summary>
    public static TrainedSchedule Of(PredictionChoice choice) => choice.Sigmas is { } range
        ? new TrainedSchedule(choice.Type, range)
        : new TrainedSchedule(choice.Type, choice.HasZeroTerminalSnr);

    /// <summary>
    /// The noise level of a timestep by diffusers: interpolated linearly on <see cref="Sigmas"/>. Beyond the last timestep it is the last
    /// one's.
    /// </summary>
    /// <param name="timestep">From 0 on; may have a fraction.</param>
    public double SigmaAt(float timestep)
    {
        int below = Math.Min((int)timestep, Steps - 1);
        double low = _sigmas[below];
        if (below == Steps - 1) return low;
        return low + (_sigmas[below + 1] - low) * (timestep - below);
    }

    /// <summary>
    /// The noise level of a timestep by ComfyUI and AUTOMATIC1111: interpolated on logarithms of <see cref="ExactSigmas"/> (k-diffusion
    /// external.py, DiscreteSchedule.t_to_sigma).
    /// </summary>
    /// <param name="timestep">0 to 999; may have a fraction.</param>
    public double ExactSigmaAt(double timestep)
    {
        int below = Math.Min((int)timestep, Steps - 2);
        double low = Math.Log(_exactSigmas[below]);
        double high = Math.Log(_exactSigmas[below + 1]);
        return Math.Exp(low + (high - low) * (timestep - below));
    }

    /// <summary>
    /// The timestep that the UNet is given for a noise level: for discrete timesteps interpolated on logarithms of <see cref="Sigmas"/>
    /// (k-diffusion external.py, DiscreteSchedule.sigma_to_t; diffusers, _sigma_to_t), where a level beyond the trained ones has the
    /// nearest one's; for a continuous range 0.25 ln sigma (Karras et al., 2022, c_noise).
    /// </summary>
    /// <param name="sigma">The noise level, above 0.</param>
    /// <returns>0 to 999, with a fraction; for a continuous range any number from <see cref="LeastTimestep"/> on.</returns>
    public float TimestepAt(double sigma)
    {
        return IsContinuous ? (float)(0.25 * Math.Log(sigma)) : PlaceOf(sigma);
    }

    /// <summary>
    /// The place of a noise level among the trained ones, interpolated on logarithms of <see cref="Sigmas"/>. It is the timestep where
    /// timesteps are discrete.
    /// </summary>
    /// <param name="sigma">The noise level, above 0.</param>
    /// <returns>0 to 999, with a fraction.</returns>
    public float PlaceOf(double sigma)
    {
        int above = Sigmas.BinarySearch((float)sigma);
        int low = Math.Clamp(above >= 0 ? above : ~above - 1, 0, Steps - 2);
        double logLow = Math.Log(_sigmas[low]);
        double logHigh = Math.Log(_sigmas[low + 1]);
        return (float)(low + Math.Clamp((Math.Log(sigma) - logLow) / (logHigh - logLow), 0, 1));
    }

    // Single precision where PyTorch has it: the betas are its linspace, which counts from the nearer end; the product is kept in double.
    private static double[] CumulativeAlphas()
    {
        float start = (float)Math.Sqrt(FirstBeta);
        float end = (float)Math.Sqrt(LastBeta);
        float stride = (end - start) / (Steps - 1);
        double[] alphas = new double[Steps];
        double product = 1;
        for (int t = 0; t < Steps; t++)
        {
            float root = t < Steps / 2 ? start + stride * t : end - stride * (Steps - 1 - t);
            product *= 1 - root * root;
            alphas[t] = product;
        }

        return alphas;
    }

    // comfy/model_sampling.py, ModelSamplingDiscrete: all in double.
    private static double[] ExactCumulativeAlphas()
    {
        double[] alphas = new double[Steps];
        double product = 1;
        for (int t = 0; t < Steps; t++)
        {
            double root = Math.Sqrt(FirstBeta) + (Math.Sqrt(LastBeta) - Math.Sqrt(FirstBeta)) * t / (Steps - 1);
            product *= 1 - root * root;
            alphas[t] = product;
        }

        return alphas;
    }

    // Shifts and stretches the square roots so that the first stays and the last becomes 0 (Lin et al., algorithm 1).
    private static void RescaleToZeroSnr(double[] alphas)
    {
        double first = Math.Sqrt(alphas[0]);
        double last = Math.Sqrt(alphas[^1]);
        for (int t = 0; t < alphas.Length; t++)
        {
            double root = (Math.Sqrt(alphas[t]) - last) * first / (first - last);
            alphas[t] = root * root;
        }

        alphas[^1] = LastAlphaOfZeroSnr;
    }
}
