using System.Numerics.Tensors;
using MuseAtelier.Format;

namespace MuseAtelier.Decoding;

/// <summary>
/// A scale of latents that is not SDXL's. Playground 2.5 was trained on latents whose channels have the mean 0 and the standard deviation
/// 0.5: z = (vae - mean) * 0.5 / deviation, where SDXL's scale is z = vae * 0.13025 (ComfyUI, comfy/latent_formats.py,
/// SDXL_Playground_2_5; diffusers, pipeline_stable_diffusion_xl.py, latents_mean and latents_std).
/// </summary>
internal sealed class LatentFormat
{
    private const float PlaygroundScale = 0.5f;

    private static readonly float[] PlaygroundMeans = [-1.6574f, 1.886f, -1.383f, 2.5155f];
    private static readonly float[] PlaygroundDeviations = [8.4927f, 5.9022f, 6.5498f, 5.2299f];

    private readonly float[] _factors;
    private readonly float[] _offsets;

    private LatentFormat(float latentScale)
    {
        _factors = [.. PlaygroundDeviations.Select(deviation => deviation / PlaygroundScale * latentScale)];
        _offsets = [.. PlaygroundMeans.Select(mean => mean * latentScale)];
    }

    /// <summary>The scale of a model's latents; null for SDXL's.</summary>
    /// <param name="model">The model.</param>
    /// <param name="prediction">The quantity that it is taken to predict.</param>
    public static LatentFormat? Of(ModelSpec model, PredictionType prediction) =>
        prediction == PredictionType.Edm || model.Prediction == PredictionType.Edm ? new LatentFormat(model.LatentScale) : null;

    /// <summary>Converts latents to SDXL's scale. Allocates nothing.</summary>
    /// <param name="latents">[4, h, w] fp32 as the UNet sees them; borrowed.</param>
    /// <param name="converted">As long as <paramref name="latents"/>; overwritten. It may be the same span.</param>
    public void ToSdxl(ReadOnlySpan<float> latents, Span<float> converted)
    {
        int area = latents.Length / _factors.Length;
        for (int channel = 0; channel < _factors.Length; channel++)
        {
            Span<float> to = converted.Slice(channel * area, area);
            TensorPrimitives.Multiply(latents.Slice(channel * area, area), _factors[channel], to);
            TensorPrimitives.Add(to, _offsets[channel], to);
        }
    }

    /// <summary>Converts the mean and the standard deviation of latents from SDXL's scale. Allocates nothing.</summary>
    /// <param name="mean">[4, h, w] fp32; overwritten.</param>
    /// <param name="deviation">[4, h, w] fp32; overwritten.</param>
    public void FromSdxl(Span<float> mean, Span<float> deviation)
    {
        int area = mean.Length / _factors.Length;
        for (int channel = 0; channel < _factors.Length; channel++)
        {
            Span<float> means = mean.Slice(channel * area, area), deviations = deviation.Slice(channel * area, area);
            TensorPrimitives.Subtract(means, _offsets[channel], means);
            TensorPrimitives.Divide(means, _factors[channel], means);
            TensorPrimitives.Divide(deviations, _factors[channel], deviations);
        }
    }

    /// <summary>Converts latents to SDXL's scale.</summary>
    public float[] ToSdxl(ReadOnlySpan<float> latents)
    {
        float[] converted = new float[latents.Length];
        ToSdxl(latents, converted);
        return converted;
    }
}
