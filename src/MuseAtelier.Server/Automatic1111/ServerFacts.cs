using System.Text.Json;
using MuseAtelier.Server.Models;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>What AUTOMATIC1111 tells of itself, as far as it is there.</summary>
internal static class ServerFacts
{
    /// <summary>Writes the memory: of the system, and of the device that paints.</summary>
    public static void WriteMemory(Utf8JsonWriter json, SanctumState sanctum)
    {
        long total = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, used = Environment.WorkingSet;
        json.WriteStartObject();
        json.WriteStartObject("ram");
        json.WriteNumber("free", Math.Max(0, total - used));
        json.WriteNumber("used", used);
        json.WriteNumber("total", total);
        json.WriteEndObject();
        json.WriteStartObject("cuda");
        if (sanctum is { Held: { } held, Budget: { } budget })
        {
            json.WriteStartObject("system");
            json.WriteNumber("free", Math.Max(0, budget - held));
            json.WriteNumber("used", held);
            json.WriteNumber("total", budget);
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("error", "no model is open, or its device does not report its memory");
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Writes the switches with which AUTOMATIC1111 would have been started.</summary>
    public static void WriteFlags(Utf8JsonWriter json, ServerOptions options)
    {
        json.WriteStartObject();
        json.WriteBoolean("api", true);
        json.WriteBoolean("nowebui", false);
        json.WriteBoolean("listen", options.Listen is not null);
        json.WriteNumber("port", options.Port);
        json.WriteNull("gradio_auth");
        json.WriteNull("api_auth");
        json.WriteBoolean("no_half", false);
        json.WriteEndObject();
    }

    /// <summary>Writes the upscalers of pictures: those that AUTOMATIC1111 always lists, and the models. Paths are not told.</summary>
    public static void WriteUpscalers(Utf8JsonWriter json, IEnumerable<NamedUpscaler> upscalers)
    {
        json.WriteStartArray();
        string[] models = [.. upscalers.Where(upscaler => upscaler.IsModel).Select(upscaler => upscaler.Name)];
        foreach (string name in (string[])["None", "Lanczos", .. models])
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteNull("model_name");
            json.WriteNull("model_path");
            json.WriteNull("model_url");
            json.WriteNumber("scale", 4);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Writes the upscalers of latents.</summary>
    public static void WriteLatentModes(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (string name in SecondPass.LatentNames)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
