namespace MuseAtelier.Format;

/// <summary>The sizes of a text encoder's input. CLIP reads a prompt in chunks of one fixed length (openai/CLIP, context_length).</summary>
internal static class TextChunk
{
    /// <summary>Tokens in a chunk: start, text, end and padding.</summary>
    public const int Length = 77;

    /// <summary>Tokens of text in a chunk, between start and end.</summary>
    public const int Capacity = Length - 2;
}
