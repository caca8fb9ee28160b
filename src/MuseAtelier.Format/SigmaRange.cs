using System.Text.Json.Serialization;

namespace MuseAtelier.Format;

/// <summary>The continuous range of noise levels that a model of the EDM formulation was trained on.</summary>
/// <param name="Least">The least sigma, above 0.</param>
/// <param name="Most">The largest sigma, above <paramref name="Least"/> and at most <see cref="Largest"/>.</param>
internal sealed record SigmaRange(float Least, float Most)
{
    /// <summary>The largest sigma of any model.</summary>
    public const float Largest = 1e6f;

    /// <summary>
    /// The range of Playground 2.5 (ComfyUI, comfy/supported_models.py, SDXL.model_type; diffusers, scheduling_edm_euler.py).
    /// </summary>
    public static SigmaRange Playground { get; } = new(0.002f, 80);

    /// <summary>The range of CosXL, which ComfyUI uses where a file states none (comfy/model_sampling.py).</summary>
    public static SigmaRange CosXL { get; } = new(0.002f, 120);

    /// <summary>Whether both numbers are possible; false for NaN.</summary>
    [JsonIgnore]
    public bool IsPossible => Least > 0 && Most > Least && Most <= Largest;

    /// <summary>The range of a type where a file states none; null for a type that has discrete timesteps.</summary>
    public static SigmaRange? Of(PredictionType type) => type switch
    {
        PredictionType.Edm => Playground,
        PredictionType.VelocityEdm => CosXL,
        _ => null,
    };
}
