using MuseAtelier.Conditioning;

namespace MuseAtelier;

/// <summary>Tokenizes a prompt as SDXL's text encoders need it; needs no model.</summary>
public static class PromptTokenizer
{
    /// <summary>
    /// Splits a prompt into CLIP's tokens. Text of any length is allowed; unpaired surrogates count as U+FFFD. The work is bounded: after
    /// the tokens that fit, only the beginning of a long text is tokenized (<see cref="PromptTokens.IsCutCountExact"/>).
    /// </summary>
    /// <param name="prompt">The prompt as the user wrote it.</param>
    public static PromptTokens Encode(string prompt) => ClipTokenizer.Shared.Encode(prompt);
}
