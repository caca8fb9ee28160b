using System.IO.Compression;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace MuseAtelier.Conditioning;

/// <summary>
/// CLIP's 49,408 tokens and the byte-pair encoder of Microsoft.ML.Tokenizers over them. The tokens are the 256 bytes, the 256 bytes at the
/// end of a word, one token for each merge, start and end.
/// </summary>
internal sealed class ClipVocabulary
{
    public const int StartOfText = 49406;
    public const int EndOfText = 49407;
    public const string StartOfTextName = "<|startoftext|>";
    public const string EndOfTextName = "<|endoftext|>";

    private const string WordEnd = "</w>";
    private const int Bytes = 256;
    private const int Merges = StartOfText - 2 * Bytes;

    private readonly string[] _spellings;
    private readonly char[] _letters = new char[Bytes];
    private readonly BpeTokenizer _encoder;

    public ClipVocabulary()
    {
        // The printable letters of Latin-1 come first, each spelt as itself. The other bytes are spelt by the letters from U+0100 on.
        int[] bytes = [.. Enumerable.Range(0, Bytes)];
        List<int> order = [.. bytes.Where(IsPrintable), .. bytes.Where(value => !IsPrintable(value))];
        char spare = (char)Bytes;
        foreach (int value in order) _letters[value] = IsPrintable(value) ? (char)value : spare++;
        string[] merges = ReadMerges();
        _spellings =
        [
            .. order.Select(value => _letters[value].ToString()),
            .. order.Select(value => _letters[value] + WordEnd),
            .. merges.Select(merge => merge.Remove(merge.IndexOf(' ', StringComparison.Ordinal), 1)),
            StartOfTextName,
            EndOfTextName,
        ];
        _encoder = BpeTokenizer.Create(new BpeOptions(_spellings.Select((spelling, id) => KeyValuePair.Create(spelling, id)))
        {
            Merges = merges,
            EndOfWordSuffix = WordEnd,
            // Required by the library, and never used, because every byte is a token.
            UnknownToken = EndOfTextName,
        });
    }

    /// <summary>A token's spelling.</summary>
    public string TextOf(int id) => _spellings[id];

    /// <summary>The number of bytes of text in a token, whose spelling has one letter for each byte. Not for start and end.</summary>
    public int ByteCountOf(int id)
    {
        string spelling = _spellings[id];
        return spelling.EndsWith(WordEnd, StringComparison.Ordinal) ? spelling.Length - WordEnd.Length : spelling.Length;
    }

    /// <summary>Spells bytes with CLIP's letters, one letter for each byte.</summary>
    /// <param name="bytes">The bytes; borrowed.</param>
    /// <param name="letters">As long as <paramref name="bytes"/>; receives the letters.</param>
    public void Spell(ReadOnlySpan<byte> bytes, Span<char> letters)
    {
        for (int i = 0; i < bytes.Length; i++) letters[i] = _letters[bytes[i]];
    }

    /// <summary>The tokens of one word. The time grows faster than the word's length.</summary>
    /// <param name="spelling">The word, cleaned and spelt by CLIP's letters.</param>
    public IReadOnlyList<int> Encode(string spelling) =>
        _encoder.EncodeToIds(spelling, considerPreTokenization: false, considerNormalization: false);

    private static bool IsPrintable(int value) => value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xFF and not 0xAD);

    // The first line is the file's version. The file ends with merges that CLIP does not use.
    private static string[] ReadMerges()
    {
        using Stream file = typeof(ClipVocabulary).Assembly.GetManifestResourceStream("clip-merges.txt.gz")!;
        using var reader = new StreamReader(new GZipStream(file, CompressionMode.Decompress), Encoding.UTF8);
        reader.ReadLine();
        string[] merges = new string[Merges];
        for (int i = 0; i < merges.Length; i++) merges[i] = reader.ReadLine()!;
        return merges;
    }
}
