using System.Text;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>
/// Names of files in records: without folders, which are nobody's business, and on one line. A name is a help for the reader; files are
/// compared by their digests.
/// </summary>
internal static class RecordedFileName
{
    /// <summary>The most UTF-16 code units of a name.</summary>
    public const int Longest = 255;

    /// <summary>The last part of a path, as a record holds it; null if there is none that can be a name.</summary>
    public static string? Of(string? path)
    {
        if (path is null) return null;
        string name = path[(path.LastIndexOfAny(['/', '\\']) + 1)..];
        return IsName(name) ? name : null;
    }

    /// <summary>Whether a text is one that <see cref="Of"/> gives.</summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= Longest
        && !text.AsSpan().ContainsAny('/', '\\')
        && !text.Any(char.IsControl)
        && !text.EnumerateRunes().Contains(Rune.ReplacementChar);
}
