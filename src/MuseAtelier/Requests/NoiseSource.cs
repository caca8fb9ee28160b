using System.Text.Json;
using System.Text.Json.Serialization;

namespace MuseAtelier;

/// <summary>
/// The name of a noise source: the program whose random numbers a seed starts, so that a seed from that program gives the same picture
/// here, or a source that <see cref="AtelierOptions.NoiseSources"/> registers. Names are equal in any case. In JSON it is a string. The
/// default value is <see cref="Diffusers"/>.
/// </summary>
[JsonConverter(typeof(NoiseSourceJsonConverter))]
public readonly record struct NoiseSource
{
    private const string DefaultId = "Diffusers";

    private static readonly string[] Known = [DefaultId, "A1111", "Comfy", "A1111-CPU", "Comfy-GPU"];

    private readonly string? _id;

    /// <summary>Makes a name.</summary>
    /// <param name="id">1 to 64 ASCII letters, digits and the signs - _ . and +.</param>
    /// <exception cref="ArgumentException">The id is not such a text.</exception>
    public NoiseSource(string id) => _id = ChoiceName.Check(id, Known);

    /// <summary>
    /// diffusers, as its documentation shows: PyTorch's CPU generator (Mersenne Twister) for the start, then the same stream for every
    /// step. Takes the seed's low 32 bits. Of the samplers of stochastic equations, single-step ones take their noise from a Brownian tree
    /// with that generator, whose entropy is the whole seed.
    /// </summary>
    public static NoiseSource Diffusers { get; } = new(DefaultId);

    /// <summary>
    /// AUTOMATIC1111 on an NVIDIA card: CUDA's generator (Philox) for the start, then the same stream for every step. Samplers of
    /// stochastic equations take their noise from a Brownian tree with that generator.
    /// </summary>
    public static NoiseSource A1111 { get; } = new(Known[1]);

    /// <summary>
    /// ComfyUI on an NVIDIA card: PyTorch's CPU generator for the start, CUDA's generator with the same seed for the steps. Samplers of
    /// stochastic equations take their noise from a Brownian tree with the CPU's generator.
    /// </summary>
    public static NoiseSource Comfy { get; } = new(Known[2]);

    /// <summary>
    /// AUTOMATIC1111 with the setting "RNG: CPU": as <see cref="Diffusers"/>, but all samplers of stochastic equations take their noise
    /// from the Brownian tree.
    /// </summary>
    public static NoiseSource A1111Cpu { get; } = new(Known[3]);

    /// <summary>
    /// ComfyUI with a sampler whose name ends in <c>_gpu</c>: as <see cref="Comfy"/>, with CUDA's generator in the Brownian tree.
    /// </summary>
    public static NoiseSource ComfyGpu { get; } = new(Known[4]);

    /// <summary>The noise sources of this library.</summary>
    internal static IReadOnlyList<NoiseSource> BuiltIn { get; } = [Diffusers, A1111, Comfy, A1111Cpu, ComfyGpu];

    /// <summary>The name as a text.</summary>
    public string Id => _id ?? DefaultId;

    /// <summary>Whether two names are equal in any case.</summary>
    public bool Equals(NoiseSource other) => Id.Equals(other.Id, StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.OrdinalIgnoreCase.GetHashCode(Id);

    /// <inheritdoc/>
    public override string ToString() => Id;
}

/// <summary>Reads and writes a <see cref="NoiseSource"/> as a JSON string.</summary>
public sealed class NoiseSourceJsonConverter : JsonConverter<NoiseSource>
{
    /// <inheritdoc/>
    public override NoiseSource Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new(ChoiceName.Read(ref reader));

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, NoiseSource value, JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStringValue(value.Id);
    }
}
