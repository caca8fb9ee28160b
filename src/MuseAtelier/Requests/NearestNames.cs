namespace MuseAtelier;

/// <summary>Finds the names that a user may have meant by a word that is none of them.</summary>
internal static class NearestNames
{
    private const int Most = 3;

    // Longer words cost time and resemble no name.
    private const int LongestWord = 64;

    /// <summary>A name's ASCII letters and digits in lower case; names that differ in case and punctuation alone are equal.</summary>
    public static string Fold(string name) => string.Concat(name.Where(char.IsAsciiLetterOrDigit).Select(char.ToLowerInvariant));

    /// <summary>
    /// The names nearest to a word, the nearest first: at most three that differ from it in at most a third of its letters and digits, or
    /// that begin with it.
    /// </summary>
    public static IReadOnlyList<string> Of(string word, IEnumerable<string> names) => Of(word, names.Select(name => (name, name)));

    /// <summary>The same for names that have several spellings.</summary>
    /// <param name="word">The word.</param>
    /// <param name="names">The spellings, each with the name that it means.</param>
    public static IReadOnlyList<string> Of(string word, IEnumerable<(string Spelling, string Name)> names)
    {
        string folded = Fold(word);
        if (folded.Length is 0 or > LongestWord) return [];
        int allowed = Math.Max(1, folded.Length / 3);
        return
        [
            .. names.Select(name => (name.Name, Folded: Fold(name.Spelling)))
                .Select(name => (name.Name, Distance: Distance(folded, name.Folded), IsBegun: IsBeginning(folded, name.Folded)))
                .Where(candidate => candidate.Distance <= allowed || candidate.IsBegun)
                .OrderBy(candidate => candidate.Distance)
                .Select(candidate => candidate.Name)
                .Distinct()
                .Take(Most),
        ];
    }

    /// <summary>A question such as "Did you mean euler or euler_a?"; empty for no names.</summary>
    public static string Question(IReadOnlyList<string> nearest) => nearest switch
    {
        [] => "",
        [string only] => $"Did you mean {only}?",
        _ => $"Did you mean {string.Join(", ", nearest.SkipLast(1))} or {nearest[^1]}?",
    };

    private static bool IsBeginning(string folded, string name) =>
        folded.Length >= 2 && name.StartsWith(folded, StringComparison.Ordinal);

    /// <summary>
    /// The number of letters that are inserted, deleted or replaced on the way from one word to another (Levenshtein, 1966; the table of
    /// Wagner and Fischer, 1974, of which two rows are kept).
    /// </summary>
    private static int Distance(string from, string to)
    {
        int[] above = [.. Enumerable.Range(0, to.Length + 1)];
        int[] row = new int[to.Length + 1];
        for (int i = 1; i <= from.Length; i++)
        {
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int replaced = above[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                row[j] = Math.Min(replaced, Math.Min(above[j], row[j - 1]) + 1);
            }

            (above, row) = (row, above);
        }

        return above[to.Length];
    }
}
