using MuseAtelier.Format;
using static System.FormattableString;

namespace MuseAtelier.Conditioning;

/// <summary>A text that is ready for the text encoders: a prompt without editing and parts, or what a step sees of one.</summary>
/// <param name="Chunks">The tokens that are encoded.</param>
/// <param name="Notices">What the user should know about text that is not encoded as written or not encoded at all.</param>
internal sealed record PreparedPrompt(PromptChunks Chunks, IReadOnlyList<string> Notices)
{
    private const int LongestQuote = 120;

    /// <summary>Prepares a text; needs no model.</summary>
    /// <param name="prompt">The text as the user wrote it.</param>
    /// <param name="name">The prompt's name in notices and errors, such as <c>negative prompt</c>.</param>
    /// <param name="settings">How prompts are read; by default as in a request of which only the prompt is set.</param>
    /// <exception cref="PromptException">The text cannot be read in its syntax, or takes too many chunks.</exception>
    public static PreparedPrompt Of(string prompt, string name, PromptSettings? settings = null)
    {
        settings ??= new PromptSettings();

        // 1. A plain prompt is one chunk of tokens; it is cut if it is too long.
        if (settings.Syntax == PromptSyntax.Plain)
        {
            PromptTokens tokens = PromptTokenizer.Encode(prompt);
            return new PreparedPrompt(PromptChunks.Of(tokens), tokens.CutCount > 0 ? [CutNotice(name, tokens)] : []);
        }

        // 2. Other prompts: weighted spans, then the tokens of the spans in as many chunks as they need.
        ParsedPrompt parsed = PromptParser.Parse(prompt, settings.Syntax, name);
        var finder = new EmbeddingFinder(settings.Embeddings, name);
        PromptChunks chunks = settings.Syntax == PromptSyntax.A1111
            ? A1111Chunks.Of(parsed.Spans, settings.CommaBacktrack, EmphasisOf(settings.Emphasis), name, finder)
            : ComfyChunks.Of(parsed.Spans, name, finder);
        return new PreparedPrompt(chunks, [.. parsed.Notices, .. finder.Notices]);
    }

    private static Emphasis EmphasisOf(PromptEmphasis emphasis) => emphasis switch
    {
        PromptEmphasis.Original => Emphasis.RestoredMean,
        PromptEmphasis.NoNorm => Emphasis.Scaled,
        _ => throw new ArgumentOutOfRangeException(nameof(emphasis), emphasis, null),
    };

    private static string CutNotice(string name, PromptTokens tokens)
    {
        string bound = tokens.IsCutCountExact ? "" : "at least ";
        string text = tokens.CutText;
        string quote = text.Length <= LongestQuote ? text : string.Concat(text.AsSpan(0, LongestQuote), "…");
        return Invariant($"The {name} has {bound}{tokens.CutCount} tokens more than the {TextChunk.Capacity} that the model reads; ")
            + $"cut off: {quote}";
    }
}
