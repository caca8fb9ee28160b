using System.Text.Json;
using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// What trainers write into a LoRA's header: kohya's sd-scripts (<c>ss_*</c>, train_network.py) and the model specification of
/// Stability AI (<c>modelspec.*</c>, library/sai_model_spec.py). All of it is untrusted text.
/// </summary>
internal static class LoraMetadata
{
    private const int LongestText = 300;
    private const int MostWords = 10;

    /// <summary>An entry in one line of at most 300 characters; null where it is missing or empty.</summary>
    public static string? Text(TensorFile file, string name)
    {
        string? text = file.Metadata.GetValueOrDefault(name);
        return text is null or "None" ? null : Line(text);
    }

    /// <summary>The model that the LoRA was trained on: its file's name, and the family of models.</summary>
    public static string? TrainedOn(TensorFile file)
    {
        string? version = Text(file, "ss_base_model_version") ?? Text(file, "modelspec.architecture");
        string? model = Text(file, "ss_sd_model_name");
        if (model is null || version is null) return model ?? version;
        return $"{model} ({version})";
    }

    /// <summary>The stated trigger phrase, then the most frequent tags of the training pictures.</summary>
    public static IReadOnlyList<string> TriggerWords(TensorFile file)
    {
        List<string> words = [];
        if (Text(file, "modelspec.trigger_phrase") is { } phrase) words.Add(phrase);
        foreach (string tag in Tags(file).OrderByDescending(tag => tag.Value).ThenBy(tag => tag.Key, StringComparer.Ordinal)
            .Select(tag => tag.Key))
        {
            if (words.Count == MostWords) break;
            if (!words.Contains(tag)) words.Add(tag);
        }

        return words;
    }

    // {"folder": {"tag": count}}: the counts of a tag are added over all folders.
    private static Dictionary<string, double> Tags(TensorFile file)
    {
        var counts = new Dictionary<string, double>(StringComparer.Ordinal);
        if (file.Metadata.GetValueOrDefault("ss_tag_frequency") is not { } text) return counts;
        try
        {
            using JsonDocument document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 8 });
            foreach (JsonElement folder in Objects(document.RootElement))
            {
                if (folder.ValueKind != JsonValueKind.Object) continue;
                foreach (JsonProperty tag in folder.EnumerateObject())
                {
                    bool isCount = tag.Value.ValueKind == JsonValueKind.Number && tag.Value.TryGetDouble(out _);
                    if (isCount && Line(tag.Name) is { } word) counts[word] = counts.GetValueOrDefault(word) + tag.Value.GetDouble();
                }
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The text of a trainer that writes another form names no tags. InvalidOperationException: it is not valid UTF-16.
            counts.Clear();
        }

        return counts;
    }

    private static IEnumerable<JsonElement> Objects(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object ? root.EnumerateObject().Select(property => property.Value) : [];

    private static string? Line(string text)
    {
        string line = string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter)).Trim();
        if (line.Length <= LongestText) return line.Length == 0 ? null : line;
        int length = char.IsHighSurrogate(line[LongestText - 2]) ? LongestText - 2 : LongestText - 1;
        return string.Concat(line.AsSpan(0, length), "…");
    }
}
