using MuseAtelier.Export.Embeddings;

namespace MuseAtelier.Adapters;

/// <summary>
/// The vectors that an embedding (textual inversion) puts in the place of its name: one position of the prompt each. Immutable.
/// </summary>
internal sealed class Embedding
{
    private readonly EmbeddingContent _content;

    /// <param name="path">Path of the file, for messages.</param>
    /// <param name="content">The content of the file; borrowed, and must not change.</param>
    public Embedding(string path, EmbeddingContent content)
    {
        Path = path;
        _content = content;
    }

    /// <summary>Path of the file.</summary>
    public string Path { get; }

    /// <summary>The file's name without its extension, by which prompts name it.</summary>
    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>SHA-256 of the file, 64 lower-case hex digits. Embeddings of one digest have the same vectors.</summary>
    public string Sha256 => _content.Sha256;

    /// <summary>The number of vectors, 1 to <see cref="EmbeddingFile.MostVectors"/>.</summary>
    public int Count => _content.Header.Count;

    /// <summary>[width of CLIP-L] fp32: the vector of a row for CLIP-L.</summary>
    public ReadOnlySpan<float> ClipL(int row) => Row(_content.ClipL, _content.Header.ClipLWidth, row);

    /// <summary>[width of CLIP-G] fp32: the vector of a row for CLIP-G.</summary>
    public ReadOnlySpan<float> ClipG(int row) => Row(_content.ClipG, _content.Header.ClipGWidth, row);

    /// <summary>Checks that the vectors have the widths of a model's text encoders.</summary>
    /// <param name="clipLWidth">The width of CLIP-L.</param>
    /// <param name="clipGWidth">The width of CLIP-G.</param>
    /// <exception cref="EmbeddingShapeException">They have others.</exception>
    public void RequireWidths(int clipLWidth, int clipGWidth)
    {
        EmbeddingHeader header = _content.Header;
        if (header.ClipLWidth != clipLWidth)
            throw EmbeddingShapeException.OfWidth(Path, EmbeddingFile.ClipL, Count, header.ClipLWidth, clipLWidth);
        if (header.ClipGWidth != clipGWidth)
            throw EmbeddingShapeException.OfWidth(Path, EmbeddingFile.ClipG, Count, header.ClipGWidth, clipGWidth);
    }

    private static ReadOnlySpan<float> Row(float[] vectors, int width, int row) => vectors.AsSpan(row * width, width);
}
