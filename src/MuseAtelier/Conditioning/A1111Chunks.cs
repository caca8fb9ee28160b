using System.Runtime.InteropServices;
using MuseAtelier.Adapters;
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
    /// break ends a chunk. The name of an embedding takes as many places as the embedding has vectors, all in one chunk.
    /// </summary>
    /// <remarks>
    /// Where the comma rule moves an embedding to the next chunk, its vectors move with it. AUTOMATIC1111 itself leaves them behind, and
    /// encodes other tokens in their new places.
    /// </remarks>
    /// <param name="spans">The spans.</param>
    /// <param name="commaBacktrack">The most tokens that may follow the comma; 0 turns the rule off.</param>
    /// <param name="emphasis">How the weights act.</param>
    /// <param name="name">The prompt's name in errors.</param>
    /// <param name="finder">Finds the embeddings that the text names.</param>
    /// <exception cref="PromptException">The prompt takes too many chunks.</exception>
    /// <exception cref="CheckpointException">An embedding that is named cannot be read.</exception>
    public static PromptChunks Of(
        IReadOnlyList<PromptSpan> spans, int commaBacktrack, Emphasis emphasis, string name, EmbeddingFinder finder)
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

            // A long name may take fewer places than it has tokens.
            int most = (ChunkWriter.MostChunks - writer.Count) * TextChunk.Capacity * finder.LongestName;
            Add(span, ClipTokenizer.Shared.EncodeSpan(span.Text, most));
        }

        return writer.ToChunks(emphasis);

        void Add(PromptSpan span, List<int> ids)
        {
            for (int at = 0; at < ids.Count;)
            {
                if (ids[at] == Comma)
                    lastComma = writer.Open;
                else if (writer.Room == 0 && lastComma >= 0 && writer.Open - lastComma <= commaBacktrack)
                    EndChunk(lastComma + 1);
                if (writer.Room == 0) EndChunk(writer.Open);
                (Embedding? embedding, int length) = finder.Find(CollectionsMarshal.AsSpan(ids), at);
                if (embedding is null)
                {
                    writer.Add(ids[at++], (float)span.Weight);
                    continue;
                }

                if (embedding.Count > writer.Room) EndChunk(writer.Open);
                foreach (int id in writer.IdsOf(embedding)) writer.Add(id, (float)span.Weight);
                at += length;
            }
        }

        void EndChunk(int kept)
        {
            writer.EndChunk(kept);
            lastComma = -1;
        }
    }
}
