using MuseAtelier.Format;

namespace MuseAtelier.Conditioning;

/// <summary>Splits weighted spans into chunks as AUTOMATIC1111 does (modules/sd_hijack_clip.py, tokenize_line).</summary>
internal static class A1111Chunks
{
    /// <summary>The tokens that the comma rule looks back, unless the user chooses another number.</summary>
    public const int DefaultCommaBacktrack = 20;

    // The token of a comma that ends a word.
    private const int Comma = 267;

    /// <summary>
    /// Fills chunks of 75 tokens. If a chunk is full and its last comma is near its end, what follows the comma moves to the next chunk. A
    /// break ends a chunk.
    /// </summary>
    /// <param name="spans">The spans.</param>
    /// <param name="commaBacktrack">The most tokens that may follow the comma; 0 turns the rule off.</param>
    /// <param name="emphasis">How the weights act.</param>
    /// <param name="name">The prompt's name in errors.</param>
    /// <exception cref="PromptException">The prompt takes too many chunks.</exception>
    public static PromptChunks Of(IReadOnlyList<PromptSpan> spans, int commaBacktrack, Emphasis emphasis, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(commaBacktrack);
        var writer = new ChunkWriter(name);
        int lastComma = -1;
        foreach (PromptSpan span in spans)
        {
            if (span.IsBreak)
            {
                EndChunk(writer.Open);
                continue;
            }

            int most = (ChunkWriter.MostChunks - writer.Count) * TextChunk.Capacity;
            foreach (int id in ClipTokenizer.Shared.EncodeSpan(span.Text, most))
            {
                if (id == Comma)
                    lastComma = writer.Open;
                else if (writer.Room == 0 && lastComma >= 0 && writer.Open - lastComma <= commaBacktrack)
                    EndChunk(lastComma + 1);
                if (writer.Room == 0) EndChunk(writer.Open);
                writer.Add(id, (float)span.Weight);
            }
        }

        return writer.ToChunks(emphasis);

        void EndChunk(int kept)
        {
            writer.EndChunk(kept);
            lastComma = -1;
        }
    }
}
