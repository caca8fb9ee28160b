using System.Text.Json;
using MuseAtelier.Pictures.Metadata;

namespace MuseAtelier.Pictures;

/// <summary>The settings of a program's text, as far as they can be painted here.</summary>
public sealed record ParsedParameters
{
    internal ParsedParameters(PictureRequest request, string? modelName, string? modelHash, IReadOnlyList<string> notTaken)
    {
        Request = request;
        ModelName = modelName;
        ModelHash = modelHash;
        NotTaken = notTaken;
    }

    /// <summary>The request. Settings that the text does not state have the defaults that <see cref="Notices"/> name.</summary>
    public PictureRequest Request { get; init; }

    /// <summary>The model's name, without folders and extension; null if the text has none.</summary>
    public string? ModelName { get; init; }

    /// <summary>The first digits of the checkpoint's SHA-256; null if the text has none.</summary>
    public string? ModelHash { get; init; }

    /// <summary>The settings that cannot be painted here, in words.</summary>
    public IReadOnlyList<string> NotTaken { get; init; }

    /// <summary>The program that wrote the text.</summary>
    public string Program { get; init; } = "AUTOMATIC1111";

    /// <summary>Whether the text has a seed. If not, the request has seed 0, and the caller may draw one.</summary>
    public bool HasSeed { get; init; } = true;

    /// <summary>
    /// Whether the text has a size. If not, the request has the picture's own size or, without a picture, the default.
    /// </summary>
    public bool HasSize { get; init; } = true;

    /// <summary>
    /// Sentences that name the settings that the text does not state and the defaults used instead; empty if it states all. They do not
    /// mention a missing seed.
    /// </summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>
    /// The part of <see cref="NotTaken"/> that names the syntax in the prompts; null if there is none. A picture that is painted from the
    /// request has the same sentence among its <see cref="Picture.Notices"/>.
    /// </summary>
    public string? PromptSyntax { get; init; }

    /// <summary>
    /// How the picture was painted from another one, which no text holds; null if it was painted from noise alone. The request paints from
    /// noise: <see cref="ParsedSource.ToSource"/> makes the source of it.
    /// </summary>
    public ParsedSource? Source { get; init; }

    /// <summary>The request as JSON, in the form in which a picture's record holds it.</summary>
    public string RequestToJson() =>
        JsonEscapes.Resolve(JsonSerializer.Serialize(RecordedRequest.Of(Request), RecordJson.Types.RecordedRequest));
}
