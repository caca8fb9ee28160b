namespace MuseAtelier.Prompting;

/// <summary>
/// Encodes the words of one prompt and bounds the work that they make. Byte-pair encoding in the library takes more than linear time in
/// the length of a word, so long words are encoded window by window, which gives the same tokens. Not safe to share between threads.
/// </summary>
/// <param name="vocabulary">The tokens; borrowed.</param>
/// <param name="enough">Tokens that are encoded whatever they cost.</param>
internal sealed class WordEncoder(ClipVocabulary vocabulary, int enough)
{
    /// <summary>
    /// Bytes of UTF-8 that are encoded, with <see cref="CallCost"/> for each call; a word that occurs again costs nothing.
    /// </summary>
    private const int MostBytes = 8192;

    private const int CallCost = 8, FirstWindow = 256, LargestWindow = 4096;

    private readonly Dictionary<string, IReadOnlyList<int>> _known = new(StringComparer.Ordinal);
    private int _left = MostBytes;

    /// <summary>Appends the tokens of a word.</summary>
    /// <param name="word">The word's UTF-8 bytes, at least one.</param>
    /// <param name="tokens">Receives the ids.</param>
    /// <returns>
    /// False where the bytes are spent and there are enough tokens: some of the word's tokens are missing at its end, or all.
    /// </returns>
    public bool Encode(ReadOnlySpan<byte> word, List<int> tokens)
    {
        if (word.Length > FirstWindow) return EncodeLong(word, tokens);
        Span<char> letters = stackalloc char[word.Length];
        vocabulary.Spell(word, letters);
        if (!_known.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(letters, out IReadOnlyList<int>? ids))
        {
            if (IsSpent(tokens)) return false;
            string spelling = letters.ToString();
            _known[spelling] = ids = Merge(spelling);
        }

        tokens.AddRange(ids);
        return true;
    }

    // Tokens are the encoding of a text exactly if each two neighbours among them are the encoding of theirs: as long as no merge crosses
    // a boundary between tokens, the merges on both sides of it are those of the two alone, and so the first merge that crossed it would
    // cross it there too. Each two neighbours here are neighbours in the encoding of some window. The last token of a window does not
    // count, because the library takes it for the end of the word.
    private bool EncodeLong(ReadOnlySpan<byte> word, List<int> tokens)
    {
        int before = tokens.Count;
        int window = FirstWindow;
        int at = 0;
        int? next = null;
        while (!IsSpent(tokens))
        {
            int length = Math.Min(window, word.Length - at);
            IReadOnlyList<int> ids = Merge(word.Slice(at, length));
            if (next is { } expected && ids[0] != expected && window < LargestWindow)
            {
                // What follows the former window reaches back beyond where this one begins. A larger window has more behind its boundary.
                // No text is known for which the largest is too small; if there is one, it is encoded as though windows were words.
                tokens.RemoveRange(before, tokens.Count - before);
                (window, at, next) = (window * 2, 0, null);
                continue;
            }

            if (at + length == word.Length)
            {
                tokens.AddRange(ids);
                return true;
            }

            int taken = 0;
            for (int end = at + length - window / 4; at + vocabulary.ByteCountOf(ids[taken]) <= end; taken++)
            {
                tokens.Add(ids[taken]);
                at += vocabulary.ByteCountOf(ids[taken]);
            }

            next = ids[taken];
        }

        return false;
    }

    private bool IsSpent(List<int> tokens) => _left <= 0 && tokens.Count > enough;

    private IReadOnlyList<int> Merge(ReadOnlySpan<byte> text) =>
        Merge(string.Create(text.Length, text, (letters, bytes) => vocabulary.Spell(bytes, letters)));

    private IReadOnlyList<int> Merge(string spelling)
    {
        _left -= spelling.Length + CallCost;
        return vocabulary.Encode(spelling);
    }
}
