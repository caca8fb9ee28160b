using MuseAtelier.Format;

namespace MuseAtelier.Conditioning;

/// <summary>Splits weighted spans into chunks as ComfyUI does (comfy/sd1_clip.py, tokenize_with_weights).</summary>
internal static class ComfyChunks
{
    // A span of fewer tokens is not split over chunks (max_word_length).
    private const int LeastSplit = 8;

    /// <summary>
    /// Fills chunks of 75 tokens. A span of fewer than eight tokens that does not fit begins the next chunk; a longer one is split.
    /// </summary>
    /// <param name="spans">The spans.</param>
    /// <param name="name">The prompt's name in errors.</param>
    /// <exception cref="PromptException">The prompt takes too many chunks.</exception>
    public static PromptChunks Of(IReadOnlyList<PromptSpan> spans, string name)
    {
        var writer = new ChunkWriter(name);
        foreach (PromptSpan span in spans)
        {
            int most = (ChunkWriter.MostChunks - writer.Count) * TextChunk.Capacity;
            List<int> ids = ClipTokenizer.Shared.EncodeSpan(span.Text, most);
            if (ids.Count < LeastSplit && ids.Count > writer.Room) writer.EndChunk();
            foreach (int id in ids)
            {
                if (writer.Room == 0) writer.EndChunk();
                writer.Add(id, (float)span.Weight);
            }
        }

        return writer.ToChunks(Emphasis.FromEmptyPrompt);
    }
}
