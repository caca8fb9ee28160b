namespace MuseAtelier.Format;

/// <summary>The sizes of a text encoder's input. CLIP reads a prompt in chunks of one fixed length (openai/CLIP, context_length).</summary>
internal static class TextChunk
{
    /// <summary>Tokens in a chunk: start, text, end and padding.</summary>
    public const int Length = 77;

    /// <summary>Tokens of text in a chunk, between start and end.</summary>
    public const int Capacity = Length - 2;

    /// <summary>
    /// Tokens of the vocabulary. A text encoder's token table may have more rows, which no text uses. In the encoder's input, this id and
    /// those above it name rows of <see cref="Vectors"/>.
    /// </summary>
    public const int Vocabulary = 49_408;

    /// <summary>The input of a text encoder that holds token embeddings from outside of its table, one row each.</summary>
    public const string Vectors = "vectors";
}
