namespace MuseAtelier.Cli;

/// <summary>Whether what the system handed over as text is text.</summary>
internal static class Unicode
{
    private const char Replacement = '\uFFFD';

    /// <summary>Whether all of it is Unicode. Bytes that are no UTF-8 arrive as U+FFFD, and half a pair of surrogates is no letter.</summary>
    public static bool IsText(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == Replacement) return false;
            if (!char.IsSurrogate(text[i])) continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1])) return false;
            i++;
        }

        return true;
    }
}
