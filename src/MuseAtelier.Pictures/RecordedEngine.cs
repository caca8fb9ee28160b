using System.Globalization;
using System.Text.Json.Serialization;

namespace MuseAtelier.Pictures;

/// <summary>The engine and the device of a recorded picture.</summary>
public sealed record RecordedEngine
{
    [JsonConstructor]
    internal RecordedEngine(
        string version, string runtime, string device, string plan, BatchSlot batchSlot, TileSize? vaeTile = null)
    {
        Version = version;
        Runtime = runtime;
        Device = device;
        Plan = plan;
        BatchSlot = batchSlot;
        VaeTile = vaeTile;
    }

    /// <summary>Version of MuseAtelier.</summary>
    public string Version { get; init; }

    /// <summary>Name and version of the runtime.</summary>
    public string Runtime { get; init; }

    /// <summary>The device in words.</summary>
    public string Device { get; init; }

    /// <summary>Where the weights were and how the picture was decoded, in words.</summary>
    public string Plan { get; init; }

    /// <summary>The batch size, and the picture's index in the batch.</summary>
    public BatchSlot BatchSlot { get; init; }

    /// <summary>The size of the tiles in which the VAE decoded; null if it decoded the whole picture at once.</summary>
    public TileSize? VaeTile { get; init; }

    /// <summary>
    /// Number of threads of the processor that painted the picture, read from <see cref="Device"/>; null if a card painted it.
    /// </summary>
    [JsonIgnore]
    public int? Threads
    {
        get
        {
            const string mark = " processor, ";
            const string end = " threads";
            int at = Device.IndexOf(mark, StringComparison.Ordinal);
            if (at <= 0 || !Device.EndsWith(end, StringComparison.Ordinal) || Device.Length < at + mark.Length + end.Length) return null;
            ReadOnlySpan<char> number = Device.AsSpan()[(at + mark.Length)..^end.Length];
            return int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int threads) && threads > 0 ? threads : null;
        }
    }
}
