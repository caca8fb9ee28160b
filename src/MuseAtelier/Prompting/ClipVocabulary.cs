using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text;

namespace MuseAtelier.Prompting;

/// <summary>
/// CLIP's 49,408 tokens and the merges that make them: 256 bytes, the same at a word's end, one token a merge, start and end.
/// A merge's token is numbered by its rank, so ids alone say which merge goes first.
/// </summary>
/// <remarks>
/// Microsoft.ML.Tokenizers gives the same ids (a test holds the two together), but takes about 0.3 s to build, most of it
/// just-in-time compilation, where this takes 0.05 s; a picture's first step should not wait for it.
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

    private static ReadOnlySpan<byte> WordEnd => "</w>"u8;


    // Open addressing in plain arrays: generic dictionaries of these types would first have to be compiled.
    private const int Slots = 1 << 17, SlotMask = Slots - 1;

    private readonly byte[] _spellings = new byte[1 << 20];
    private readonly int[] _spellingStarts = new int[EndOfText + 2];
    private readonly int[] _byteIds = new int[Bytes];
    private readonly int[] _lefts = new int[EndOfText + 1], _rights = new int[EndOfText + 1];
    private readonly int[] _mergeSlots = new int[Slots];

    [MethodImpl(MethodImplOptions.AggressiveOptimization)] // runs once: it would otherwise run unoptimised
    public ClipVocabulary()
    {
        AddBytes();
        int[] spellingSlots = new int[Slots];
        for (int id = 0; id < FirstMerge; id++)
            spellingSlots[FindSpelling(spellingSlots, SpellingOf(id))] = id;

        ReadOnlySpan<byte> lines = ReadMerges();
        lines = lines[(lines.IndexOf((byte)'\n') + 1)..]; // a version, not a merge
        for (int id = FirstMerge; id < StartOfText; id++)
        {
            int end = lines.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = lines[..end];
            lines = lines[(end + 1)..];
            int space = line.IndexOf((byte)' ');
            int left = spellingSlots[FindSpelling(spellingSlots, line[..space])], right = spellingSlots[FindSpelling(spellingSlots, line[(space + 1)..])];
            AddSpelling(id, line[..space], line[(space + 1)..]);
            spellingSlots[FindSpelling(spellingSlots, SpellingOf(id))] = id;
            _lefts[id] = left;
            _rights[id] = right;
            _mergeSlots[FindMerge(left, right)] = id;
        }

        AddSpelling(StartOfText, Encoding.UTF8.GetBytes(StartOfTextName), []);
        AddSpelling(EndOfText, Encoding.UTF8.GetBytes(EndOfTextName), []);
    }

    /// <summary>A token's spelling.</summary>
    public string TextOf(int id) => Encoding.UTF8.GetString(SpellingOf(id));

    /// <summary>How many bytes of text a token stands for (its spelling has one letter a byte); not for start and end.</summary>
    public int ByteCountOf(int id)
    {
        ReadOnlySpan<byte> spelling = SpellingOf(id);
        return Encoding.UTF8.GetCharCount(spelling.EndsWith(WordEnd) ? spelling[..^WordEnd.Length] : spelling);
    }

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
            return ids[left] != Gone && next[left] < ids.Length && (id = _mergeSlots[FindMerge(ids[left], ids[next[left]])]) != 0;
        }

        void Offer(int left)
        {
            // A candidate's right neighbour may not be linked yet; it is only looked at, never followed.
            if (TryMerge(left, out int id))
                candidates.Enqueue(left, ((long)id << 32) | (uint)left);
        }
    }

    private ReadOnlySpan<byte> SpellingOf(int id) => _spellings.AsSpan(_spellingStarts[id].._spellingStarts[id + 1]);

    // Tokens are added in the order of their ids, and their spellings lie one behind the other.
    private void AddSpelling(int id, ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        Span<byte> free = _spellings.AsSpan(_spellingStarts[id]);
        left.CopyTo(free);
        right.CopyTo(free[left.Length..]);
        _spellingStarts[id + 1] = _spellingStarts[id] + left.Length + right.Length;
    }

    // The slot of a spelling, or the empty one where it belongs. An empty slot reads as 0, which is the token "!": right,
    // because "!" is the one spelling that is looked up without having been stored.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int FindSpelling(int[] slots, ReadOnlySpan<byte> spelling)
    {
        uint hash = 2166136261;
        foreach (byte letter in spelling)
            hash = (hash ^ letter) * 16777619;
        int slot = (int)(hash ^ (hash >> 15)) & SlotMask;
        while (slots[slot] != 0 && !SpellingOf(slots[slot]).SequenceEqual(spelling))
            slot = (slot + 1) & SlotMask;
        return slot;
    }

    // The slot of a merge, or the empty one where it belongs.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private int FindMerge(int left, int right)
    {
        uint hash = ((uint)left * 0x9E3779B1) ^ ((uint)right * 0x85EBCA77);
        int slot = (int)(hash ^ (hash >> 15)) & SlotMask;
        for (int id; (id = _mergeSlots[slot]) != 0 && (_lefts[id] != left || _rights[id] != right);)
            slot = (slot + 1) & SlotMask;
        return slot;
    }

    // The file goes on with merges that CLIP does not use.
    private static byte[] ReadMerges()
    {
        using Stream file = typeof(ClipVocabulary).Assembly.GetManifestResourceStream("clip-merges.txt.gz")!;
        using var stream = new GZipStream(file, CompressionMode.Decompress);
        byte[] text = new byte[1 << 20];
        int length = 0;
        for (int lines = 0; lines <= Merges;)
        {
            int count = stream.ReadAtLeast(text.AsSpan(length, 1 << 15), 1);
            lines += text.AsSpan(length, count).Count((byte)'\n');
            length += count;
        }

        return text;
    }

    // Bytes are numbered with the printable letters of Latin-1 first, each spelt as itself; the rest are spelt by the letters from U+0100 on.
    private void AddBytes()
    {
        int id = 0;
        char spare = (char)Bytes;
        byte[][] spellings = new byte[Bytes][];
        foreach (bool printable in (ReadOnlySpan<bool>)[true, false])
        {
            for (int value = 0; value < Bytes; value++)
            {
                bool isPrintable = value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xFF and not 0xAD);
                if (isPrintable != printable)
                    continue;
                _byteIds[value] = id;
                spellings[id++] = Encoding.UTF8.GetBytes([printable ? (char)value : spare++]);
            }
        }

        for (id = 0; id < Bytes; id++)
            AddSpelling(id, spellings[id], []);
        for (; id < FirstMerge; id++)
            AddSpelling(id, spellings[id - Bytes], WordEnd);
    }
}
