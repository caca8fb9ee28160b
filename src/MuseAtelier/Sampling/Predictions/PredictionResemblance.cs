using System.Numerics.Tensors;

namespace MuseAtelier.Sampling;

/// <summary>
/// Recognises a model that does not predict noise. At a high noise level the UNet's input is almost the noise itself, so a prediction of
/// the noise resembles it. A prediction of velocity is v = (x - sqrt(1 + s^2) x0) / s with the input x, the noise
/// level s and the picture x0: at a high level the term of x vanishes, and the picture with the opposite sign remains.
/// </summary>
internal static class PredictionResemblance
{
    /// <summary>The lowest noise level at which resemblance tells the two apart; schedules of five steps and more begin above it.</summary>
    public const float LeastSigma = 5;

    /// <summary>
    /// Resemblance below which a model is noticed. At the noise levels from <see cref="LeastSigma"/> on, the Miniature's noise predictions
    /// have 0.99 and more, and the velocities that they amount to 0.47 and less; random weights have 0.
    /// </summary>
    public const float Least = 0.8f;

    /// <summary>
    /// The cosine of the angle between a prediction and the input: 1 if one is a positive multiple of the other, 0 if they are orthogonal.
    /// Allocates nothing.
    /// </summary>
    /// <param name="input">The scaled input of the UNet; borrowed.</param>
    /// <param name="prediction">The UNet's output before guidance; borrowed.</param>
    public static float Measure(ReadOnlySpan<float> input, ReadOnlySpan<float> prediction) =>
        TensorPrimitives.CosineSimilarity(input, prediction);

    /// <summary>The notice about a model's first prediction; null if the prediction resembles its input.</summary>
    /// <param name="resemblance">Its resemblance; null where its noise level was too low to tell.</param>
    public static string? Notice(float? resemblance) => resemblance is not { } measured || measured >= Least
        ? null
        : FormattableString.Invariant(
            $"The model's first prediction does not resemble the noise it was given (correlation {measured:F2}; 0.99 is usual). ")
            + "It may be a v-prediction model whose file does not say so: paint with --prediction v (PictureRequest.Prediction), or add an "
            + "empty tensor 'v_pred' to the file.";
}
