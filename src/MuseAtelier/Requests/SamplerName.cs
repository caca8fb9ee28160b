using System.Text.Json;
using System.Text.Json.Serialization;

namespace MuseAtelier;

/// <summary>
/// The name of a sampler: one of this library's, or one that <see cref="AtelierOptions.Samplers"/> registers. Names are equal in any case.
/// In JSON it is a string. The default value is <see cref="EulerAncestral"/>.
/// </summary>
[JsonConverter(typeof(SamplerNameJsonConverter))]
public readonly record struct SamplerName
{
    private const string DefaultId = "euler_a";

    private static readonly string[] Known =
        [DefaultId, "euler", "dpmpp_2m", "heun", "dpm_2", "dpm_2_ancestral", "lms", "dpmpp_2s_ancestral", "ddim", "dpmpp_2m_sde",
            "dpmpp_2m_sde_heun", "dpmpp_3m_sde", "dpmpp_sde", "uni_pc", "uni_pc_bh2", "lcm", "tcd", "ddpm"];

    private readonly string? _id;

    /// <summary>Makes a name.</summary>
    /// <param name="id">1 to 64 ASCII letters, digits and the signs - _ . and +.</param>
    /// <exception cref="ArgumentException">The id is not such a text.</exception>
    public SamplerName(string id) => _id = ChoiceName.Check(id, Known);

    /// <summary>Euler's method with ancestral noise: <c>euler_a</c>, AUTOMATIC1111's "Euler a".</summary>
    public static SamplerName EulerAncestral { get; } = new(DefaultId);

    /// <summary>Euler's method without noise after the start: <c>euler</c>, AUTOMATIC1111's "Euler".</summary>
    public static SamplerName Euler { get; } = new(Known[1]);

    /// <summary>DPM-Solver++(2M), without noise after the start: <c>dpmpp_2m</c>, AUTOMATIC1111's "DPM++ 2M".</summary>
    public static SamplerName Dpmpp2M { get; } = new(Known[2]);

    /// <summary>Heun's method, with two evaluations a step: <c>heun</c>, AUTOMATIC1111's "Heun".</summary>
    public static SamplerName Heun { get; } = new(Known[3]);

    /// <summary>DPM-Solver-2 as k-diffusion has it, with two evaluations a step: <c>dpm_2</c>, AUTOMATIC1111's "DPM2".</summary>
    public static SamplerName Dpm2 { get; } = new(Known[4]);

    /// <summary>DPM-Solver-2 with ancestral noise, two evaluations a step: <c>dpm_2_ancestral</c>, AUTOMATIC1111's "DPM2 a".</summary>
    public static SamplerName Dpm2Ancestral { get; } = new(Known[5]);

    /// <summary>The linear multistep method of order 4: <c>lms</c>, AUTOMATIC1111's "LMS".</summary>
    public static SamplerName Lms { get; } = new(Known[6]);

    /// <summary>
    /// DPM-Solver++(2S) with ancestral noise, two evaluations a step: <c>dpmpp_2s_ancestral</c>, AUTOMATIC1111's "DPM++ 2S a".
    /// </summary>
    public static SamplerName Dpmpp2SAncestral { get; } = new(Known[7]);

    /// <summary>DDIM, by default without noise after the start: <c>ddim</c>, AUTOMATIC1111's "DDIM".</summary>
    public static SamplerName Ddim { get; } = new(Known[8]);

    /// <summary>DPM-Solver++(2M) with noise in every step: <c>dpmpp_2m_sde</c>, AUTOMATIC1111's "DPM++ 2M SDE".</summary>
    public static SamplerName Dpmpp2MSde { get; } = new(Known[9]);

    /// <summary>
    /// The same with the second order of Heun: <c>dpmpp_2m_sde_heun</c>, AUTOMATIC1111's "DPM++ 2M SDE Heun".
    /// </summary>
    public static SamplerName Dpmpp2MSdeHeun { get; } = new(Known[10]);

    /// <summary>DPM-Solver++(3M) with noise in every step: <c>dpmpp_3m_sde</c>, AUTOMATIC1111's "DPM++ 3M SDE".</summary>
    public static SamplerName Dpmpp3MSde { get; } = new(Known[11]);

    /// <summary>
    /// DPM-Solver++ of second order with two draws of noise and two evaluations a step: <c>dpmpp_sde</c>, AUTOMATIC1111's "DPM++ SDE".
    /// </summary>
    public static SamplerName DpmppSde { get; } = new(Known[12]);

    /// <summary>UniPC with the function bh1: <c>uni_pc</c>, AUTOMATIC1111's "UniPC".</summary>
    public static SamplerName UniPc { get; } = new(Known[13]);

    /// <summary>UniPC with the function bh2: <c>uni_pc_bh2</c>, diffusers' choice.</summary>
    public static SamplerName UniPcBh2 { get; } = new(Known[14]);

    /// <summary>The sampler of latent consistency models: <c>lcm</c>, AUTOMATIC1111's "LCM".</summary>
    public static SamplerName Lcm { get; } = new(Known[15]);

    /// <summary>The sampler of trajectory consistency distillation: <c>tcd</c>.</summary>
    public static SamplerName Tcd { get; } = new(Known[16]);

    /// <summary>DDPM, which adds noise in every step: <c>ddpm</c>.</summary>
    public static SamplerName Ddpm { get; } = new(Known[17]);

    /// <summary>The samplers of this library.</summary>
    internal static IReadOnlyList<SamplerName> BuiltIn { get; } =
    [
        EulerAncestral, Euler, Dpmpp2M, Heun, Dpm2, Dpm2Ancestral, Lms, Dpmpp2SAncestral, Ddim, Dpmpp2MSde, Dpmpp2MSdeHeun, Dpmpp3MSde,
        DpmppSde, UniPc, UniPcBh2, Lcm, Tcd, Ddpm,
    ];

    /// <summary>The name as a text.</summary>
    public string Id => _id ?? DefaultId;

    /// <summary>Whether this is a sampler of this library that evaluates the UNet twice in all steps except the last one.</summary>
    internal bool EvaluatesTwice =>
        Equals(Heun) || Equals(Dpm2) || Equals(Dpm2Ancestral) || Equals(Dpmpp2SAncestral) || Equals(DpmppSde);

    /// <summary>Whether this is a sampler of this library that has no noise in its steps whose strength could be set.</summary>
    internal bool IgnoresEta =>
        Equals(Euler) || Equals(Dpmpp2M) || Equals(Heun) || Equals(Dpm2) || Equals(Lms) || Equals(UniPc) || Equals(UniPcBh2)
        || Equals(Lcm) || Equals(Ddpm);

    /// <summary>Whether two names are equal in any case.</summary>
    public bool Equals(SamplerName other) => Id.Equals(other.Id, StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.OrdinalIgnoreCase.GetHashCode(Id);

    /// <inheritdoc/>
    public override string ToString() => Id;
}

/// <summary>Reads and writes a <see cref="SamplerName"/> as a JSON string.</summary>
public sealed class SamplerNameJsonConverter : JsonConverter<SamplerName>
{
    /// <inheritdoc/>
    public override SamplerName Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new(ChoiceName.Read(ref reader));

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, SamplerName value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(value.Id);
    }
}
