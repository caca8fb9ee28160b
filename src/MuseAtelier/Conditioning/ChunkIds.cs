using MuseAtelier.Format;

namespace MuseAtelier.Conditioning;

/// <summary>Lays out the tokens of a chunk for the text encoders.</summary>
internal static class ChunkIds
{
    /// <summary>[77] ids for CLIP-L: start, the tokens, end, and the end's id as padding.</summary>
    /// <param name="tokens">At most 75 tokens of text; borrowed.</param>
    public static int[] ClipL(ReadOnlySpan<int> tokens)
    {
        int[] row = new int[TextChunk.Length];
        row.AsSpan().Fill(ClipVocabulary.EndOfText);
        row[0] = ClipVocabulary.StartOfText;
        tokens.CopyTo(row.AsSpan(1, TextChunk.Capacity));
        return row;
    }

    /// <summary>
    /// [77] ids for CLIP-G: as for CLIP-L, with zeros behind the first end. CLIP-G was trained so, and the zeros begin there even if the
    /// text itself contains the end token.
    /// </summary>
    /// <param name="tokens">At most 75 tokens of text; borrowed.</param>
    public static int[] ClipG(ReadOnlySpan<int> tokens)
    {
        int[] row = ClipL(tokens);
        row.AsSpan(Array.IndexOf(row, ClipVocabulary.EndOfText) + 1).Clear();
        return row;
    }
}
