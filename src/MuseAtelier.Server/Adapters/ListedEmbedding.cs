using System.Text.Json.Serialization;

namespace MuseAtelier.Server.Adapters;

/// <summary>An embedding in the server's folders, as clients are told of it. No client is told a path.</summary>
internal sealed record ListedEmbedding
{
    /// <summary>The file's name without its extension, by which prompts name it.</summary>
    public required string Name { get; init; }

    /// <summary>The number of its vectors, each of which takes the place of a token; 0 if it cannot be used.</summary>
    public required int Vectors { get; init; }

    /// <summary>Bytes of the file.</summary>
    public required long Bytes { get; init; }

    /// <summary>Why it cannot be used; null if it can.</summary>
    public Problem? Problem { get; init; }

    /// <summary>Path of the file.</summary>
    [JsonIgnore]
    public string Path { get; init; } = "";
}

/// <summary>The answer to a request for the list.</summary>
/// <param name="Embeddings">The embeddings in the order of their names.</param>
internal sealed record EmbeddingAnswer(IReadOnlyList<ListedEmbedding> Embeddings);
