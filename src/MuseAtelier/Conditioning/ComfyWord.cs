using MuseAtelier.Adapters;

namespace MuseAtelier.Conditioning;

/// <summary>A piece of a span in ComfyUI's syntax, whose positions stay together in a chunk if they are few.</summary>
/// <param name="Text">Text; empty for an embedding.</param>
/// <param name="Embedding">The embedding; null for text.</param>
internal readonly record struct ComfyWord(string Text, Embedding? Embedding)
{
    private const string Mark = "embedding:";

    /// <summary>
    /// Splits a span at its embeddings: <c>embedding:</c> at its beginning or behind a space or a line end, and a name up to the next white
    /// space. Commas around the name do not belong to it unless a file has such a name (ComfyUI, comfy/sd1_clip.py, tokenize_with_weights
    /// and _try_get_embedding, which leaves names out that do not exist; here they are refused).
    /// </summary>
    /// <param name="span">The span's text.</param>
    /// <param name="finder">Finds embeddings.</param>
    /// <exception cref="EmbeddingNotFoundException">There is no such embedding.</exception>
    /// <exception cref="CheckpointException">The file that is named cannot be used. Each cause has its own type.</exception>
    public static List<ComfyWord> Split(string span, EmbeddingFinder finder)
    {
        if (!finder.HasFolders || !span.Contains(Mark, StringComparison.Ordinal)) return [new ComfyWord(span, null)];
        List<ComfyWord> words = [];
        for (int start = 0; start <= span.Length;)
        {
            int end = NextMark(span, start);
            Add(words, span[start..end], finder);
            // The space or line end before the mark belongs to no piece.
            start = end + 1;
        }

        return words;
    }

    private static int NextMark(string span, int start)
    {
        for (int at = start; (at = span.IndexOf(Mark, at, StringComparison.Ordinal)) >= 0; at += Mark.Length)
            if (at > start && span[at - 1] is ' ' or '\n') return at - 1;
        return span.Length;
    }

    private static void Add(List<ComfyWord> words, string piece, EmbeddingFinder finder)
    {
        string[] parts = piece.StartsWith(Mark, StringComparison.Ordinal)
            ? piece[Mark.Length..].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            : [];
        if (parts.Length == 0)
        {
            if (piece.Length > 0) words.Add(new ComfyWord(piece, null));
            return;
        }

        string name = parts[0], rest = string.Join(' ', parts.Skip(1));
        Embedding? found = finder.FindPath(name);
        if (found is null && name.Trim(',') is var stripped && stripped.Length < name.Length)
        {
            found = stripped.Length > 0 ? finder.FindPath(stripped) : null;
            rest = $"{name[stripped.Length..]} {rest}";
            name = stripped;
        }

        words.Add(new ComfyWord("", found ?? throw finder.NotFound(name)));
        if (rest.Length > 0) words.Add(new ComfyWord(rest, null));
    }
}
