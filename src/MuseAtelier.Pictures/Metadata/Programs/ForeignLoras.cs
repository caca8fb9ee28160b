using System.Globalization;
using System.Text.Json;
using MuseAtelier.Adapters;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>Reads the LoRAs in the JSON of other programs. Entries that cannot be read are named.</summary>
internal static class ForeignLoras
{
    /// <summary>
    /// SwarmUI: a list of names, one of weights, and one of the text encoders' weights (src/Text2Image/T2IParamTypes.cs).
    /// </summary>
    public static void TakeSwarmUi(RequestDraft draft, JsonFields fields)
    {
        string?[] names = Texts(fields.OfLoras("loras"));
        string?[] weights = Texts(fields.OfLoras("loraweights"));
        string?[] texts = Texts(fields.OfLoras("loratencweights"));
        for (int i = 0; i < names.Length; i++)
        {
            float? weight = i < weights.Length ? Number(weights[i]) : 1;
            Add(draft, names[i], weight, i < texts.Length ? Number(texts[i]) : null, null);
        }
    }

    /// <summary>
    /// Fooocus: a list of name, weight and the first digits of the file's digest; or members with a name and a weight
    /// (modules/meta_parser.py).
    /// </summary>
    public static void TakeFooocus(RequestDraft draft, JsonElement json, JsonFields fields)
    {
        if (fields.OfLoras("loras") is { ValueKind: JsonValueKind.Array } list)
        {
            foreach (JsonElement entry in list.EnumerateArray())
            {
                string?[] parts = Texts(entry);
                if (parts.Length >= 2) Add(draft, parts[0], Number(parts[1]), null, parts.Length > 2 ? parts[2] : null);
            }

            return;
        }

        foreach (JsonProperty member in json.EnumerateObject())
        {
            bool isLora = member.Name.StartsWith("lora_combined_", StringComparison.Ordinal);
            isLora &= member.Value.ValueKind == JsonValueKind.String;
            if (!isLora) continue;
            string text = member.Value.GetString()!;
            int colon = text.LastIndexOf(" : ", StringComparison.Ordinal);
            if (colon <= 0 || !Add(draft, text[..colon], Number(text[(colon + 3)..]), null, null)) continue;
            fields.Ignore(member.Name);
            draft.SkipWithoutLoras(member.Name, text);
        }
    }

    /// <summary>InvokeAI: objects with a model's name and a weight (invokeai/app/invocations/metadata.py, LoRAMetadataField).</summary>
    public static void TakeInvokeAi(RequestDraft draft, JsonFields fields)
    {
        if (fields.OfLoras("loras") is not { ValueKind: JsonValueKind.Array } list) return;
        foreach (JsonElement entry in list.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Object) continue;
            bool isNamed = entry.TryGetProperty("model", out JsonElement model) || entry.TryGetProperty("lora", out model);
            if (!isNamed || !entry.TryGetProperty("weight", out JsonElement weight)) continue;
            string? name = ForeignJson.Member(model, "name") ?? ForeignJson.Member(model, "model_name");
            Add(draft, name, Number(weight.GetRawText()), null, null);
        }
    }

    /// <summary>Adds a LoRA, or names it if its name or its strengths cannot be read.</summary>
    /// <returns>Whether it was added.</returns>
    public static bool Add(RequestDraft draft, string? name, float? strength, float? textStrength, string? hash)
    {
        bool isInRange = LoraRules.IsStrength(strength ?? float.NaN)
            && LoraRules.IsStrength(textStrength ?? 0)
            && draft.Loras.Count < LoraRules.Most;
        if (string.IsNullOrWhiteSpace(name) || !isInRange)
        {
            draft.Skip("LoRA", name ?? "without a name");
            return false;
        }

        bool isHash = hash is { Length: >= 8 and <= 64 } && hash.All(char.IsAsciiHexDigit);
        draft.Loras.Add(new ParsedLora(WithoutExtension(name))
        {
            Strength = strength!.Value,
            TextStrength = textStrength == strength ? null : textStrength,
            Hash = isHash ? hash!.ToLowerInvariant() : null,
        });
        return true;
    }

    private static string WithoutExtension(string name)
    {
        foreach (string extension in (string[])[".safetensors", ".sft", ".ckpt", ".pt"])
            if (name.EndsWith(extension, StringComparison.OrdinalIgnoreCase)) return name[..^extension.Length];
        return name;
    }

    private static string?[] Texts(JsonElement? list) => list is not { ValueKind: JsonValueKind.Array } values
        ? []
        : [.. values.EnumerateArray().Take(LoraRules.Most).Select(Text)];

    private static string? Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        _ => null,
    };

    private static float? Number(string? text) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) ? number : null;
}
