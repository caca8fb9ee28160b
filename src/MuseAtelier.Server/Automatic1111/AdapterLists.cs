using System.Text.Json;
using MuseAtelier.Server.Adapters;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>Writes LoRAs, embeddings and the VAE in AUTOMATIC1111's form. Files are named without their folders.</summary>
internal static class AdapterLists
{
    // AUTOMATIC1111 counts the vectors of both text encoders together (modules/textual_inversion/textual_inversion.py,
    // create_embedding_from_data).
    private const int SdxlShape = 768 + 1280;

    /// <summary>Writes the LoRAs that can be used (extensions-builtin/Lora/scripts/lora_script.py, create_lora_json).</summary>
    public static void WriteLoras(Utf8JsonWriter json, IEnumerable<ListedLora> loras)
    {
        json.WriteStartArray();
        foreach (ListedLora lora in loras.Where(each => each.Problem is null))
        {
            json.WriteStartObject();
            json.WriteString("name", lora.Name);
            json.WriteString("alias", lora.Alias ?? lora.Name);
            json.WriteString("path", Path.GetFileName(lora.Path));
            json.WriteStartObject("metadata");
            foreach ((string name, string value) in lora.Metadata) WriteMetadata(json, name, value);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Writes the embeddings (modules/api/api.py, get_embeddings).</summary>
    public static void WriteEmbeddings(Utf8JsonWriter json, IReadOnlyList<ListedEmbedding> embeddings)
    {
        json.WriteStartObject();
        WriteEmbeddings(json, "loaded", embeddings.Where(each => each.Problem is null), SdxlShape);
        // Of a file that cannot be used, nothing is known but its name.
        WriteEmbeddings(json, "skipped", embeddings.Where(each => each.Problem is not null), shape: 0);
        json.WriteEndObject();
    }

    /// <summary>Writes the VAE's file, if the server was given one (modules/api/api.py, get_sd_vaes).</summary>
    public static void WriteVaes(Utf8JsonWriter json, string? file)
    {
        json.WriteStartArray();
        if (file is not null)
        {
            json.WriteStartObject();
            json.WriteString("model_name", Path.GetFileName(file));
            json.WriteString("filename", Path.GetFileName(file));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteEmbeddings(Utf8JsonWriter json, string list, IEnumerable<ListedEmbedding> embeddings, int shape)
    {
        json.WriteStartObject(list);
        // Two files of one name may be skipped, but an object has each name once.
        foreach (ListedEmbedding embedding in embeddings.DistinctBy(each => each.Name, StringComparer.Ordinal))
        {
            json.WriteStartObject(embedding.Name);
            json.WriteNull("step");
            json.WriteNull("sd_checkpoint");
            json.WriteNull("sd_checkpoint_name");
            json.WriteNumber("shape", shape);
            json.WriteNumber("vectors", embedding.Vectors);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    // Values that are JSON are written as such (modules/sd_models.py, read_metadata_from_safetensors).
    private static void WriteMetadata(Utf8JsonWriter json, string name, string value)
    {
        json.WritePropertyName(name);
        if (value.StartsWith('{') && TryParse(value) is { } document)
        {
            using (document) document.RootElement.WriteTo(json);
            return;
        }

        json.WriteStringValue(value);
    }

    private static JsonDocument? TryParse(string value)
    {
        try
        {
            return JsonDocument.Parse(value, new JsonDocumentOptions { MaxDepth = 16 });
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
