using System.Text.Json;
using MuseAtelier.Pictures;
using MuseAtelier.Server.Clients;
using MuseAtelier.Server.Models;

namespace MuseAtelier.Server.Automatic1111;

/// <summary>Models by the names that AUTOMATIC1111 gives them: the file's name, followed by the first digits of its digest.</summary>
internal static class ModelNames
{
    private const string Option = "sd_model_checkpoint";

    /// <summary>A model's title in AUTOMATIC1111's form.</summary>
    public static string TitleOf(ShelfModel model) =>
        ShortHash(model) is { } hash ? $"{Path.GetFileName(model.Path)} [{hash}]" : Path.GetFileName(model.Path);

    /// <summary>The first digits of a model's digest; null if it is not known.</summary>
    public static string? ShortHash(ShelfModel model) =>
        model.Sha256 is { Length: >= ParametersText.ShortDigest } digest ? digest[..ParametersText.ShortDigest] : null;

    /// <summary>The model that options name; null if they name none.</summary>
    /// <param name="fields">The options.</param>
    /// <param name="shelf">The models.</param>
    /// <exception cref="ServerRequestException">There is no such model.</exception>
    public static ShelfModel? Named(ClientFields fields, IModelShelf shelf)
    {
        string text = fields.Text(Option)?.Trim() ?? "";
        if (text.Length == 0) return null;
        return Find(text, shelf) ?? throw Problems.Make(
            404,
            "no-such-model",
            $"There is no model {ClientFields.Quote(fields.Find(Option)!.Value)}; /sdapi/v1/sd-models lists them. Choose one of these.",
            field: Option);
    }

    /// <summary>Writes the models as AUTOMATIC1111 lists them. Files are named without their folders.</summary>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<ShelfModel> models)
    {
        json.WriteStartArray();
        foreach (ShelfModel model in models)
        {
            json.WriteStartObject();
            json.WriteString("title", TitleOf(model));
            json.WriteString("model_name", model.Id);
            json.WriteString("hash", ShortHash(model));
            json.WriteString("sha256", model.Sha256);
            json.WriteString("filename", Path.GetFileName(model.Path));
            json.WriteNull("config");
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static ShelfModel? Find(string text, IModelShelf shelf)
    {
        ShelfModel? titled = shelf.Models.FirstOrDefault(model => TitleOf(model).Equals(text, StringComparison.OrdinalIgnoreCase));
        if (titled is not null) return titled;
        // A client may have remembered a title from before the digest was known, or with it.
        int bracket = text.EndsWith(']') ? text.LastIndexOf(" [", StringComparison.Ordinal) : -1;
        return shelf.Find(bracket > 0 ? text[..bracket] : text);
    }
}
