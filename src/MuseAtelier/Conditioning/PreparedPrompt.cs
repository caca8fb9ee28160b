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
    /// <param name="name">The prompt's name in notices and errors, such as <c>negative prompt</c>.</param>
    /// <param name="syntax">The syntax of the prompt.</param>
    /// <exception cref="PromptException">The prompt cannot be read in its syntax, or takes too many chunks.</exception>
    public static PreparedPrompt Of(string prompt, string name, PromptSyntax syntax = PromptSyntax.Plain)
    {
        List<string> notices = [];

        // 1. Notices: syntax that is encoded as text.
        if (PromptSyntaxNotice.Of(prompt, name, syntax) is { } notice) notices.Add(notice);

        // 2. A plain prompt is one chunk of tokens; it is cut if it is too long.
        if (syntax == PromptSyntax.Plain)
        {
            PromptTokens tokens = PromptTokenizer.Encode(prompt);
            if (tokens.CutCount > 0) notices.Add(CutNotice(name, tokens));
            return new PreparedPrompt(PromptChunks.Of(tokens), notices);
        }

        // 3. Other prompts: weighted spans, then the tokens of the spans in as many chunks as they need.
        ParsedPrompt parsed = PromptParser.Parse(prompt, syntax, name);
        notices.AddRange(parsed.Notices);
        PromptChunks chunks = syntax == PromptSyntax.A1111
            ? A1111Chunks.Of(parsed.Spans, A1111Chunks.DefaultCommaBacktrack, Emphasis.RestoredMean, name)
            : ComfyChunks.Of(parsed.Spans, name);
        return new PreparedPrompt(chunks, notices);
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
