using System.Text.Json;
using System.Text.Json.Serialization;

namespace MuseAtelier.Tools.Charts;

/// <summary>The members of the output of <c>muse bench --json</c> that charts and their order need.</summary>
internal sealed record Measured
{
    public required MeasuredMachine Machine { get; init; }

    public required string Model { get; init; }

    public required int Width { get; init; }

    public required int Height { get; init; }

    public required int Steps { get; init; }

    public required double GuidanceScale { get; init; }

    /// <summary>Median of the seconds per picture, without writing the file.</summary>
    public required double PictureSeconds { get; init; }

    /// <summary>The budget of video memory in bytes; null if there was none.</summary>
    public required long? BudgetBytes { get; init; }

    /// <summary>Peak bytes of the process in video memory, as reported by the driver; null if unknown.</summary>
    public required long? PeakDeviceBytes { get; init; }

    /// <summary>The mode of the weights' placement.</summary>
    public required string Offload { get; init; }

    /// <summary>Whether sessions rotated. Older measurements call that mode Sessions.</summary>
    [JsonIgnore]
    public bool RotatesSessions => Offload is "Rotate" or "Sessions";

    /// <summary>The conditions, which must be equal for all results of one chart.</summary>
    [JsonIgnore]
    public string Conditions =>
        FormattableString.Invariant($"{Machine.Device}; {Model}, {Width}x{Height}, {Steps} steps, guidance {GuidanceScale}");
}

/// <summary>The machine of a measurement.</summary>
internal sealed record MeasuredMachine(string Device);

/// <summary>The members of a peer's measurement that charts need.</summary>
internal sealed record MeasuredPeer
{
    public required string Peer { get; init; }

    public required string Mode { get; init; }

    [JsonPropertyName("median_s")]
    public required double Seconds { get; init; }

    /// <summary>Peak video memory in GiB.</summary>
    [JsonPropertyName("device_gib")]
    public required double Gibibytes { get; init; }
}

/// <summary>Reads files of results.</summary>
internal static class ResultFile
{
    private static readonly JsonSerializerOptions Members = new(JsonSerializerDefaults.Web)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Reads the content of a file.</summary>
    /// <exception cref="ResultFileException">The file cannot be read, or has another content.</exception>
    public static T Read<T>(string path)
    {
        try
        {
            T? results = JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), Members);
            bool holdsNull = results is null || (results is IEnumerable<object?> list && list.Contains(null));
            return holdsNull ? throw new JsonException("it holds null") : results!;
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            string expected = typeof(T) == typeof(Measured) ? "muse bench --json" : "collected results";
            throw new ResultFileException(
                path,
                $"cannot be used ({exception.Message.TrimEnd('.')})",
                $"a file of {expected}",
                "Measure again, or name another file.",
                exception);
        }
    }
}
