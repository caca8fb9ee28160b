using System.Text.Json;
using Microsoft.AspNetCore.Http;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Models;

namespace MuseAtelier.Server.OpenAi;

/// <summary>Lists the models, and knows the names of OpenAI's own.</summary>
/// <param name="shelf">The models.</param>
internal sealed class ImageModels(IModelShelf shelf)
{
    private static readonly string[] OpenAis = ["dall-e", "gpt-image", "chatgpt-image"];

    /// <summary>Whether a name is one of OpenAI's models, which programs name of themselves: it means the current model.</summary>
    public static bool IsOpenAis(string name) =>
        Array.Exists(OpenAis, start => name.StartsWith(start, StringComparison.OrdinalIgnoreCase));

    /// <summary>The refusal of a name that no model has.</summary>
    /// <param name="quote">The name, in quotation marks.</param>
    /// <param name="field">The member that has it; null if the address has it.</param>
    public static ServerRequestException Missing(string quote, string? field) => Problems.Make(
        404, "no-such-model", $"There is no model {quote}; /v1/models lists them. Choose one of these.", field: field);

    /// <summary>Answers with all models.</summary>
    public Task ListAsync(HttpContext context) => JsonAnswer.WriteAsync(context, json =>
    {
        json.WriteStartObject();
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        foreach (ShelfModel model in shelf.Models) Write(json, model);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <summary>Answers with one model.</summary>
    public Task ReadAsync(HttpContext context)
    {
        string id = context.Request.RouteValues["id"] as string ?? "";
        ShelfModel model = shelf.Find(id) ?? throw Missing("of this name", field: null);
        return JsonAnswer.WriteAsync(context, json => Write(json, model));
    }

    private static void Write(Utf8JsonWriter json, ShelfModel model)
    {
        json.WriteStartObject();
        json.WriteString("id", model.Id);
        json.WriteString("object", "model");
        json.WriteNumber("created", new DateTimeOffset(File.GetLastWriteTimeUtc(model.Path)).ToUnixTimeSeconds());
        json.WriteString("owned_by", "museatelier");
        json.WriteEndObject();
    }
}
