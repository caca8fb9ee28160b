using MuseAtelier.Format;

namespace MuseAtelier.Conditioning;

/// <summary>Splits weighted spans into chunks as ComfyUI does (comfy/sd1_clip.py, tokenize_with_weights).</summary>
internal static class ComfyChunks
{
    // A span of fewer tokens is not split over chunks (max_word_length).
    private const int LeastSplit = 8;

    /// <summary>
    /// Fills chunks of 75 tokens. A span of fewer than eight tokens that does not fit begins the next chunk; a longer one is split. The
    /// vectors of an embedding, and the text before and after it, count as spans of their own.
    /// </summary>
    /// <param name="spans">The spans.</param>
    /// <param name="name">The prompt's name in errors.</param>
    /// <param name="finder">Finds the embeddings that the text names.</param>
    /// <exception cref="PromptException">The prompt takes too many chunks.</exception>
    /// <exception cref="EmbeddingNotFoundException">There is no embedding of a name.</exception>
    /// <exception cref="CheckpointException">An embedding that is named cannot be used.</exception>
    public static PromptChunks Of(IReadOnlyList<PromptSpan> spans, string name, EmbeddingFinder finder)
    {
        var writer = new ChunkWriter(name);
        foreach (PromptSpan span in spans)
        {
            foreach (ComfyWord word in ComfyWord.Split(span.Text, finder))
            {
                int most = (ChunkWriter.MostChunks - writer.Count) * TextChunk.Capacity;
                Add(word.Embedding is { } found ? writer.IdsOf(found) : ClipTokenizer.Shared.EncodeSpan(word.Text, most), span.Weight);
            }
        }

        return writer.ToChunks(Emphasis.FromEmptyPrompt);

        void Add(IReadOnlyList<int> ids, double weight)
        {
            if (ids.Count < LeastSplit && ids.Count > writer.Room) writer.EndChunk();
            foreach (int id in ids)
            {
                if (writer.Room == 0) writer.EndChunk();
                writer.Add(id, (float)weight);
            }
        }
    }
}
