using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text;

namespace MuseAtelier.Prompting;

/// <summary>
/// CLIP's 49,408 tokens and the merges that make them: 256 bytes, the same at a word's end, one token a merge, start and end.
/// A merge's token is numbered by its rank, so ids alone say which merge goes first.
/// </summary>
/// <remarks>
/// Microsoft.ML.Tokenizers gives the same ids (a test holds the two together), but takes about 0.25 s to build, most of it
/// just-in-time compilation, where this takes a tenth of that; a picture's first step should not wait for it.
/// </remarks>
internal sealed class ClipVocabulary
{
    public const int StartOfText = 49406;
    public const int EndOfText = 49407;
    public const string StartOfTextName = "<|startoftext|>";
    public const string EndOfTextName = "<|endoftext|>";

    private const int Bytes = 256;
    private const int FirstMerge = 2 * Bytes;
    private const int Merges = StartOfText - FirstMerge;
    private const int Gone = -1;
    private const string WordEnd = "</w>";

    private readonly string[] _texts = new string[EndOfText + 1];
    private readonly int[] _byteIds = new int[Bytes];
    private readonly Dictionary<long, int> _merges = new(Merges);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // runs once: it would otherwise run unoptimised
    public ClipVocabulary()
    {
        AddBytes();
        var ids = new Dictionary<string, int>(EndOfText + 1, StringComparer.Ordinal);
        for (int id = 0; id < FirstMerge; id++)
            ids.Add(_texts[id], id);
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> idOf = ids.GetAlternateLookup<ReadOnlySpan<char>>();

        using Stream stream = typeof(ClipVocabulary).Assembly.GetManifestResourceStream("clip-merges.txt.gz")!;
        using var reader = new StreamReader(new GZipStream(stream, CompressionMode.Decompress), Encoding.UTF8, false, 1 << 16);
        reader.ReadLine(); // a version, not a merge
        Span<char> joined = stackalloc char[256];
        for (int id = FirstMerge; id < StartOfText; id++)
        {
            ReadOnlySpan<char> line = reader.ReadLine();
            int space = line.IndexOf(' ');
            ReadOnlySpan<char> left = line[..space], right = line[(space + 1)..];
            left.CopyTo(joined);
            right.CopyTo(joined[left.Length..]);
            string text = new(joined[..(line.Length - 1)]);
            _merges.Add(Pair(idOf[left], idOf[right]), id);
            ids.Add(text, id);
            _texts[id] = text;
        }

        _texts[StartOfText] = StartOfTextName;
        _texts[EndOfText] = EndOfTextName;
    }

    /// <summary>A token's spelling.</summary>
    public string TextOf(int id) => _texts[id];

    /// <summary>How many bytes of text a token stands for (its spelling has one letter a byte); not for start and end.</summary>
    public int ByteCountOf(int id) => _texts[id].Length - (_texts[id].EndsWith(WordEnd, StringComparison.Ordinal) ? WordEnd.Length : 0);

    /// <summary>Appends the tokens of one word.</summary>
    /// <param name="word">The word's UTF-8 bytes, at least one.</param>
    /// <param name="tokens">Receives the ids.</param>
    public void Encode(ReadOnlySpan<byte> word, List<int> tokens)
    {
        int[] ids = new int[word.Length];
        for (int i = 0; i < ids.Length; i++)
            ids[i] = _byteIds[word[i]];
        ids[^1] += Bytes; // the same byte at a word's end

        // The lowest merge goes first, the leftmost of equals. Neighbours are linked and candidates queued,
        // so that a prompt of one endless word costs n log n.
        int[] next = new int[ids.Length], previous = new int[ids.Length];
        var candidates = new PriorityQueue<int, long>();
        for (int i = 0; i < ids.Length; i++)
        {
            next[i] = i + 1;
            previous[i] = i - 1;
            Offer(i);
        }

        while (candidates.TryDequeue(out int left, out long priority))
        {
            int merged = (int)(priority >> 32);
            if (!TryMerge(left, out int present) || present != merged)
                continue; // a part of it has since gone into another token
            int right = next[left];
            ids[left] = merged;
            ids[right] = Gone;
            next[left] = next[right];
            if (next[left] < ids.Length)
                previous[next[left]] = left;
            Offer(left);
            if (previous[left] >= 0)
                Offer(previous[left]);
        }

        for (int i = 0; i < ids.Length; i = next[i])
            tokens.Add(ids[i]);

        bool TryMerge(int left, out int id)
        {
            id = 0;
            return ids[left] != Gone && next[left] < ids.Length && _merges.TryGetValue(Pair(ids[left], ids[next[left]]), out id);
        }

        void Offer(int left)
        {
            // A candidate's right neighbour may not be linked yet; it is only looked at, never followed.
            if (TryMerge(left, out int id))
                candidates.Enqueue(left, ((long)id << 32) | (uint)left);
        }
    }

    private static long Pair(int left, int right) => ((long)left << 32) | (uint)right;

    // Bytes are numbered with the printable letters of Latin-1 first, each spelt as itself; the rest are spelt by the letters from U+0100 on.
    private void AddBytes()
    {
        int id = 0;
        char spare = (char)Bytes;
        foreach (bool printable in (ReadOnlySpan<bool>)[true, false])
        {
            for (int value = 0; value < Bytes; value++)
            {
                bool isPrintable = value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xFF and not 0xAD);
                if (isPrintable != printable)
                    continue;
                string text = (printable ? (char)value : spare++).ToString();
                _byteIds[value] = id;
                _texts[id] = text;
                _texts[id + Bytes] = text + WordEnd;
                id++;
            }
        }
    }
}
