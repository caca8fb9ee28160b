namespace MuseAtelier.Cli;

/// <summary>Checks strings that the operating system supplies, such as arguments and environment variables.</summary>
internal static class Unicode
{
    private const char Replacement = '\uFFFD';

    /// <summary>
    /// Whether a string is valid Unicode: .NET decodes bytes that are not UTF-8 as U+FFFD, and a surrogate without a partner is invalid.
    /// </summary>
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
