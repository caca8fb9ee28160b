using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace MuseAtelier.Server.Requests;

/// <summary>
/// A notice as a code with arguments, by which a page says it in another language. The library states notices as sentences, so the codes
/// are told from the sentences' constant parts; <see cref="Other"/> is the code of a sentence that has no code of its own.
/// </summary>
/// <param name="Code">The code, as docs/http-api.md lists them.</param>
/// <param name="Arguments">The values that the sentence names.</param>
internal sealed record NoticeCode(string Code, IReadOnlyDictionary<string, object> Arguments)
{
    /// <summary>The code of a sentence of which only the sentence says more.</summary>
    public const string Other = "other";

    // The sentences, with the names of their arguments in braces.
    private static readonly (string Code, string Sentence)[] Known =
    [
        ("prompt-cut", "The {prompt} has {tokens} tokens more than the 75 that the model reads; cut off: {text}"),
        ("prompt-syntax", "The {prompt} has syntax that is not supported: its words are painted as text. It has {kinds}."),
        ("prompt-plain", "The {prompt} has syntax of other programs, which is painted as plain text here: {kinds}."),
        ("brackets-unclosed", "The {prompt} has {count} unclosed bracket{s}, which weight{s} everything up to the end."),
        ("brackets-unopened", "The {prompt} has {count} closing bracket{s} without an opening one, which {are} painted as text."),
        ("break-in-brackets", "The {prompt} has BREAK within brackets, which is painted as a word, as AUTOMATIC1111 does."),
        ("editing-unread", "The {prompt} has '|' outside of [a|b], or a backslash before nothing, so that none of its prompt editing and "
            + "alternation is read, as in AUTOMATIC1111."),
        ("and-in-negative", "The negative prompt has the word AND, which is painted as text there, as AUTOMATIC1111 does."),
        ("weight-at-end", "The {prompt} ends with ':{weight}', which is painted as text. AUTOMATIC1111 reads it as a weight of the whole "
            + "prompt and multiplies the guidance scale by it."),
        ("chunks-padded", "The prompts have {counts} chunks of 75 tokens. The shorter one is padded with chunks of the empty prompt, so "
            + "that the picture differs from ComfyUI's, which evaluates them apart."),
        ("lora-unknown", "The prompt names the LoRA '{name}', which the server's folders do not have."),
        ("lora-tag", "The prompt has a tag of a LoRA that cannot be read: {tag}"),
        ("lora-several", "{count} LoRAs are called '{name}': {places}. The last one is taken, as in AUTOMATIC1111."),
        ("lora-twice", "The prompt names the LoRA '{name}' {count} times. All of them are added up."),
        ("no-seed", "The text states no seed; a new one is drawn for each picture."),
        ("no-prompt", "The text names no prompt; an empty one is used."),
        ("no-steps", "The text names no number of steps; {value} are used."),
        ("no-guidance", "The text names no guidance scale; {value} is used."),
        ("no-sampler", "The text names no sampler; {value} is used."),
        ("record-unread", "The file's own record cannot be read, so its text is taken: {reason}."),
        ("turned", "EXIF states that viewers should rotate or mirror it (orientation {orientation}): pixels are read as they are stored"),
        ("cut-off", "it ends before its last chunk (IEND)"),
        ("bad-exif", "its EXIF block cannot be read"),
        ("cmyk", "its colours are CMYK: they are converted without a profile, and may look different from print"),
    ];

    private static readonly Dictionary<string, object> None = [];

    /// <summary>The codes of sentences, in their order.</summary>
    public static IReadOnlyList<NoticeCode> Of(IEnumerable<string> sentences) => [.. sentences.Select(Of)];

    private static NoticeCode Of(string sentence)
    {
        foreach ((string code, string form) in Known)
            if (TryMatch(form, sentence, out Dictionary<string, object>? arguments)) return new NoticeCode(code, arguments);
        return new NoticeCode(Other, None);
    }

    // An argument reaches to the next constant part; the last one to the end.
    private static bool TryMatch(string form, string sentence, [NotNullWhen(true)] out Dictionary<string, object>? arguments)
    {
        arguments = null;
        Dictionary<string, object> found = [];
        ReadOnlySpan<char> pattern = form, rest = sentence;
        while (true)
        {
            int open = pattern.IndexOf('{');
            if (open < 0)
            {
                if (!rest.SequenceEqual(pattern)) return false;
                arguments = found;
                return true;
            }

            if (!rest.StartsWith(pattern[..open])) return false;
            rest = rest[open..];
            int close = pattern.IndexOf('}');
            string name = pattern[(open + 1)..close].ToString();
            pattern = pattern[(close + 1)..];
            int next = pattern.IndexOf('{');
            ReadOnlySpan<char> constant = next < 0 ? pattern : pattern[..next];
            int end = constant.IsEmpty ? rest.Length : next < 0 ? rest.LastIndexOf(constant) : rest.IndexOf(constant);
            if (end < 0) return false;
            // Endings of words are no arguments.
            if (name is not ("s" or "are")) found[name] = ValueOf(rest[..end]);
            rest = rest[end..];
        }
    }

    // "an unclosed bracket" is one of them.
    private static object ValueOf(ReadOnlySpan<char> text) => text switch
    {
        "an" or "a" => 1,
        _ when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) => number,
        _ => text.ToString(),
    };
}
