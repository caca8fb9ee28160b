namespace MuseAtelier.Conditioning;

/// <summary>
/// Encodes the words of one prompt and bounds the work. The library's byte-pair encoding takes more than linear time in the length of a
/// word, so long words are encoded window by window, which gives the same tokens. Not safe for concurrent use.
/// </summary>
/// <param name="vocabulary">The tokens; borrowed.</param>
/// <param name="enough">The number of tokens that are encoded regardless of the work.</param>
internal sealed class WordEncoder(ClipVocabulary vocabulary, int enough)
{
    /// <summary>
    /// The most bytes of UTF-8 that are encoded. Each call counts as <see cref="CallCost"/> more; a word that occurs again counts nothing.
    /// </summary>
    private const int MostBytes = 8192;

    private const int CallCost = 8;
    private const int FirstWindow = 256;
    private const int LargestWindow = 4096;

    private readonly Dictionary<string, IReadOnlyList<int>> _known = new(StringComparer.Ordinal);
    private int _left = MostBytes;

    /// <summary>Appends the tokens of a word.</summary>
    /// <param name="word">The word's UTF-8 bytes, at least one.</param>
    /// <param name="tokens">Receives the ids.</param>
    /// <returns>
    /// False if the bytes are used up and there are enough tokens: the word's last tokens, or all of them, are then missing.
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

    // Tokens are the encoding of a text exactly if every two neighbours are the encoding of their own text: as long as no merge crosses
    // a boundary between tokens, the merges on both sides are those of the two tokens alone, so the first merge that crossed the boundary
    // in the text would cross it there too. Every two neighbours here are neighbours in the encoding of some window. The last token of a
    // window does not count, because the library treats it as the end of the word.
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
                // A merge depends on text before this window's start, so the word is encoded again with a larger window. No text is known
                // for which the largest window is too small; such a text would be encoded as though the windows were words.
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
