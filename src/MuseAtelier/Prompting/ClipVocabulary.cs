using System.IO.Compression;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace MuseAtelier.Prompting;

/// <summary>
/// CLIP's 49,408 tokens: 256 bytes, the same at a word's end, one token a merge, start and end; and the byte-pair encoder of
/// Microsoft.ML.Tokenizers over them.
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
        // Bytes are numbered with the printable letters of Latin-1 first, each spelt as itself; the rest are spelt by the letters from
        // U+0100 on.
        List<int> order =
        [
            .. Enumerable.Range(0, Bytes).Where(IsPrintable),
            .. Enumerable.Range(0, Bytes).Where(value => !IsPrintable(value)),
        ];
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
            // Never needed: every byte is a token.
            UnknownToken = EndOfTextName,
        });
    }

    /// <summary>A token's spelling.</summary>
    public string TextOf(int id) => _spellings[id];

    /// <summary>How many bytes of text a token stands for (its spelling has one letter a byte); not for start and end.</summary>
    public int ByteCountOf(int id)
    {
        string spelling = _spellings[id];
        return spelling.EndsWith(WordEnd, StringComparison.Ordinal) ? spelling.Length - WordEnd.Length : spelling.Length;
    }

    /// <summary>Spells bytes by CLIP's letters, one letter a byte.</summary>
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

    // The first line is a version, and the file goes on with merges that CLIP does not use.
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
