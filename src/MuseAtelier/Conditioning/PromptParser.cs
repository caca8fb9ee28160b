namespace MuseAtelier.Conditioning;

/// <summary>Splits prompts into weighted spans. Needs no model and no vocabulary.</summary>
internal static class PromptParser
{
    /// <summary>The largest absolute weight. Larger ones overflow in fp16 and mean nothing to the model.</summary>
    public const double LargestWeight = 1000;

    /// <summary>The most spans of a prompt. It bounds the work on nested brackets, and is far above what 64 chunks can use.</summary>
    public const int MostSpans = 16_384;

    /// <summary>Splits a prompt.</summary>
    /// <param name="text">The prompt as the user wrote it.</param>
    /// <param name="syntax">The syntax of the prompt.</param>
    /// <param name="name">The prompt's name in notices and errors, such as <c>negative prompt</c>.</param>
    /// <exception cref="PromptException">A weight is no number or out of range, or the brackets are too many or too deep.</exception>
    public static ParsedPrompt Parse(string text, PromptSyntax syntax, string name = "prompt")
    {
        ArgumentNullException.ThrowIfNull(text);
        ParsedPrompt parsed = syntax switch
        {
            PromptSyntax.A1111 => new A1111Parser(text, name).Run(),
            PromptSyntax.Comfy => new ComfyParser(text, name).Run(),
            PromptSyntax.Plain => new ParsedPrompt([new PromptSpan(text, 1)], []),
            _ => throw new ArgumentOutOfRangeException(nameof(syntax), syntax, null),
        };
        foreach (PromptSpan span in parsed.Spans)
        {
            if (!(Math.Abs(span.Weight) <= LargestWeight)) throw PromptException.WeightOutOfRange(name, span.Weight, LargestWeight);
        }

        return parsed;
    }
}
