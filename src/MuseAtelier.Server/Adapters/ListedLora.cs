using System.Text.Json.Serialization;

namespace MuseAtelier.Server.Adapters;

/// <summary>A LoRA in the server's folders, as clients are told of it. No client is told a path.</summary>
internal sealed record ListedLora
{
    /// <summary>The file's name without its extension, by which requests and prompts name it.</summary>
    public required string Name { get; init; }

    /// <summary>The name that the trainer gave it, by which prompts may name it as well; null if it is the same, or if there is none.</summary>
    public string? Alias { get; init; }

    /// <summary>Its title; null if it has none.</summary>
    public string? Title { get; init; }

    /// <summary>The families of its changes, such as "LoRA" and "LoHa"; empty if the file cannot be used.</summary>
    public IReadOnlyList<string> Families { get; init; } = [];

    /// <summary>The least rank of its changes; null if none has one.</summary>
    public int? LeastRank { get; init; }

    /// <summary>The largest rank of its changes; null if none has one.</summary>
    public int? MostRank { get; init; }

    /// <summary>The model that it was trained on; null if the file does not say so.</summary>
    public string? TrainedOn { get; init; }

    /// <summary>The words in a prompt that call up what it was trained on.</summary>
    public IReadOnlyList<string> TriggerWords { get; init; } = [];

    /// <summary>The parts of the model that it changes, such as "UNet" and "CLIP-L".</summary>
    public IReadOnlyList<string> Parts { get; init; } = [];

    /// <summary>Bytes of the file.</summary>
    public required long Bytes { get; init; }

    /// <summary>Why it cannot be used; null if it can.</summary>
    public Problem? Problem { get; init; }

    /// <summary>Path of the file.</summary>
    [JsonIgnore]
    public string Path { get; init; } = "";

    /// <summary>The short texts among the metadata in the file's header, which trainers wrote.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
}

/// <summary>The answer to a request for the list.</summary>
/// <param name="Loras">The LoRAs in the order of their names.</param>
internal sealed record LoraAnswer(IReadOnlyList<ListedLora> Loras);
