using MuseAtelier.Adapters;

namespace MuseAtelier.Conditioning;

/// <summary>How prompts are read.</summary>
/// <param name="Syntax">Their syntax.</param>
/// <param name="Emphasis">How weights act in AUTOMATIC1111's syntax.</param>
/// <param name="CommaBacktrack">The most tokens behind a full chunk's last comma that move to the next chunk, in the same syntax.</param>
internal sealed record PromptSettings(
    PromptSyntax Syntax = PromptSyntax.A1111,
    PromptEmphasis Emphasis = PromptEmphasis.Original,
    int CommaBacktrack = A1111Chunks.DefaultCommaBacktrack)
{
    /// <summary>The embeddings that prompts can name.</summary>
    public EmbeddingCatalog Embeddings { get; init; } = EmbeddingCatalog.Empty;

    /// <summary>Whether <c>embedding:name</c> names an embedding, and is not text.</summary>
    public bool ReadsEmbeddings => Syntax == PromptSyntax.Comfy && Embeddings != EmbeddingCatalog.Empty;

    /// <summary>The settings of a request.</summary>
    public static PromptSettings Of(PictureRequest request) => new(request.PromptSyntax, request.Emphasis, request.CommaBacktrack);
}
