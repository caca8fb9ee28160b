using System.Text.Json;
using MuseAtelier.Sampling;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>The samplers as AUTOMATIC1111 lists them.</summary>
internal static class SamplerList
{
    /// <summary>Writes the list.</summary>
    public static void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (SamplerName sampler in SamplerCatalog.BuiltIn.Names)
        {
            json.WriteStartObject();
            json.WriteString("name", SamplerCatalog.BuiltIn.DisplayName(sampler));
            json.WriteStartArray("aliases");
            json.WriteStringValue($"k_{sampler.Id}");
            json.WriteEndArray();
            json.WriteStartObject("options");
            if (sampler.EvaluatesTwice) json.WriteBoolean("second_order", true);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
