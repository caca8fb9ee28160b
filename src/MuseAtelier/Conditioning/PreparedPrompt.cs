using MuseAtelier.Packages;
using static System.FormattableString;

namespace MuseAtelier.Conditioning;

/// <summary>A prompt that is ready for the text encoders.</summary>
/// <param name="Chunks">The tokens that are encoded.</param>
/// <param name="Notices">What the user should know about text that is not encoded as written or not encoded at all.</param>
internal sealed record PreparedPrompt(PromptChunks Chunks, IReadOnlyList<string> Notices)
{
    private const int LongestQuote = 120;

    /// <summary>Prepares a prompt; needs no model.</summary>
    /// <param name="prompt">The prompt as the user wrote it.</param>
    /// <param name="name">The prompt's name in notices, such as <c>negative prompt</c>.</param>
    public static PreparedPrompt Of(string prompt, string name)
    {
        List<string> notices = [];

        // 1. Syntax: other programs' syntax is encoded as plain text.
        if (PromptSyntaxNotice.Of(prompt, name) is { } syntax) notices.Add(syntax);

        // 2. Tokens: a prompt that is too long is cut.
        PromptTokens tokens = PromptTokenizer.Encode(prompt);
        if (tokens.CutCount > 0) notices.Add(CutNotice(name, tokens));

        // 3. Chunks: today always one.
        return new PreparedPrompt(PromptChunks.Of(tokens), notices);
    }

    private static string CutNotice(string name, PromptTokens tokens)
    {
        string bound = tokens.IsCutCountExact ? "" : "at least ";
        string text = tokens.CutText;
        string quote = text.Length <= LongestQuote ? text : string.Concat(text.AsSpan(0, LongestQuote), "…");
        return Invariant($"The {name} has {bound}{tokens.CutCount} tokens more than the {TextChunk.Capacity} that the model reads; ")
            + $"cut off: {quote}";
    }
}
