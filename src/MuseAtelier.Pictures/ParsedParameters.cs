using System.Text.Json;
using MuseAtelier.Adapters;
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

    /// <summary>
    /// The LoRAs that the text names, in the order in which they are added. The request has none of them: <see cref="WithLoras"/> looks them
    /// up.
    /// </summary>
    public IReadOnlyList<ParsedLora> Loras { get; init; } = [];

    /// <summary>The part of <see cref="NotTaken"/> that is taken over where folders of LoRAs are given.</summary>
    public IReadOnlyList<string> NotTakenWithoutLoras { get; init; } = [];

    /// <summary>The part of <see cref="NotTaken"/> that is taken over where folders of embeddings are given.</summary>
    public IReadOnlyList<string> NotTakenWithoutEmbeddings { get; init; } = [];

    /// <summary>
    /// The same settings with the LoRAs in the request, the notices about them, and without what is taken over in this way. A LoRA is found by
    /// its name, or by its digest if the text has one. Does nothing if no LoRA is named or no folder is given.
    /// </summary>
    /// <param name="folders">Folders of LoRAs, with their subfolders.</param>
    /// <exception cref="LoraNotFoundException">A LoRA is not found.</exception>
    /// <exception cref="LoraTagException">A tag of the prompt cannot be read.</exception>
    /// <exception cref="LoraFolderException">A folder cannot be read.</exception>
    public ParsedParameters WithLoras(IReadOnlyList<string> folders)
    {
        ArgumentNullException.ThrowIfNull(folders);
        if (folders.Count == 0 || Loras.Count == 0) return this;
        var files = new ParsedLoras(new LoraFolder(folders));
        PictureRequest request = files.ApplyTo(Request, Loras);
        string? syntax = RequestDraft.SyntaxOf(request);
        return this with
        {
            Request = request,
            NotTaken = [.. NotTaken.Where(part => part != PromptSyntax).Except(NotTakenWithoutLoras), .. new[] { syntax }.OfType<string>()],
            PromptSyntax = syntax,
            NotTakenWithoutLoras = [],
            Notices = [.. Notices, .. files.Notices],
        };
    }

    /// <summary>The request as JSON, in the form in which a picture's record holds it.</summary>
    public string RequestToJson() =>
        JsonEscapes.Resolve(JsonSerializer.Serialize(RecordedRequest.Of(Request), RecordJson.Types.RecordedRequest));
}
