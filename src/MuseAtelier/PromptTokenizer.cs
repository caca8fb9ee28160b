using MuseAtelier.Prompting;

namespace MuseAtelier;

/// <summary>Shows what SDXL's text encoders see of a prompt, without a model.</summary>
public static class PromptTokenizer
{
    /// <summary>
    /// Splits a prompt into CLIP's tokens. Any text of any length is allowed; unpaired surrogates count as U+FFFD. The work is bounded:
    /// behind the tokens that fit, only the beginning of a long text is tokenized (<see cref="PromptTokens.IsCutCountExact"/>).
    /// </summary>
    /// <param name="prompt">The prompt as written.</param>
    public static PromptTokens Encode(string prompt) => ClipTokenizer.Shared.Encode(prompt);
}
