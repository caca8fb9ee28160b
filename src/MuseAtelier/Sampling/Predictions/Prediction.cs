using System.Numerics.Tensors;
using MuseAtelier.Format;

namespace MuseAtelier.Sampling;

/// <summary>
/// The quantity that a UNet predicts, and the conversions between it and a sampler's latents. All operations work on borrowed spans of
/// equal length and allocate nothing.
/// </summary>
internal abstract class Prediction
{
    /// <summary>The conversions for a type.</summary>
    public static Prediction Of(PredictionType type) => type switch
    {
        PredictionType.Epsilon => new EpsilonPrediction(),
        PredictionType.Velocity or PredictionType.VelocityEdm => new VelocityPrediction(),
        PredictionType.Edm => new EdmPrediction(),
        PredictionType.Sample => new SamplePrediction(),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    /// <summary>The variance of the clean latents that the UNet was trained on: sigma_data squared.</summary>
    public virtual float DataVariance => 1;

    /// <summary>Scales latents to the variance that the UNet was trained on: divides them by sqrt(sigma^2 + sigma_data^2).</summary>
    /// <param name="latents">The latents at the noise level.</param>
    /// <param name="sigma">The noise level.</param>
    /// <param name="input">Receives the UNet's input; may be the same span as <paramref name="latents"/>.</param>
    /// <param name="dataVariance">The variance of the clean latents.</param>
    public static void ScaleInput(ReadOnlySpan<float> latents, float sigma, Span<float> input, float dataVariance = 1) =>
        TensorPrimitives.Divide(latents, MathF.Sqrt(sigma * sigma + dataVariance), input);

    /// <summary>The map from the UNet's output at a noise level to the clean latents, in double precision.</summary>
    public abstract DenoisedMap MapAt(float sigma);

    /// <summary>Computes the clean latents that a prediction amounts to: D(x, sigma).</summary>
    /// <param name="latents">The latents at the noise level.</param>
    /// <param name="output">The UNet's guided output.</param>
    /// <param name="sigma">The noise level.</param>
    /// <param name="denoised">Receives the clean latents.</param>
    public abstract void ToDenoised(ReadOnlySpan<float> latents, ReadOnlySpan<float> output, float sigma, Span<float> denoised);

    /// <summary>Replaces a prediction by the prediction of the noise that it amounts to: (x - D(x, sigma)) / sigma.</summary>
    /// <param name="latents">The latents at the noise level.</param>
    /// <param name="output">The UNet's guided output; receives the noise.</param>
    /// <param name="sigma">The noise level.</param>
    public abstract void ToEpsilon(ReadOnlySpan<float> latents, Span<float> output, float sigma);

    /// <summary>Writes the UNet's input of every picture of a batch.</summary>
    public void ScaleInput(LatentBatch batch, float sigma)
    {
        for (int i = 0; i < batch.Pictures; i++) ScaleInput(batch.Latents(i), sigma, batch.Input(i), DataVariance);
        batch.CompleteInput();
    }

    /// <summary>Turns the guided output of every picture of a batch into the clean latents and the noise that samplers read.</summary>
    public void Resolve(LatentBatch batch, float sigma)
    {
        for (int i = 0; i < batch.Pictures; i++)
        {
            ToDenoised(batch.Latents(i), batch.Output(i), sigma, batch.Denoised(i));
            ToEpsilon(batch.Latents(i), batch.Output(i), sigma);
        }
    }
}
