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

    private static readonly string[] Known = [DefaultId, "euler", "dpmpp_2m"];

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

    /// <summary>The samplers of this library.</summary>
    internal static IReadOnlyList<SamplerName> BuiltIn { get; } = [EulerAncestral, Euler, Dpmpp2M];

    /// <summary>The name as a text.</summary>
    public string Id => _id ?? DefaultId;

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
