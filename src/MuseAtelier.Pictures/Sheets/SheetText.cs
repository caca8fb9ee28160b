using System.Text;
using static System.FormattableString;

namespace MuseAtelier.Pictures.Sheets;

/// <summary>Writes the text that names the pictures of a contact sheet.</summary>
internal static class SheetText
{
    private const int LongestPart = 300;

    /// <summary>A line for the sheet, and one for each picture: its number, its label, and in brackets its name.</summary>
    /// <param name="cells">The pictures.</param>
    /// <param name="columns">The number of columns.</param>
    public static string Describe(IReadOnlyList<ContactSheetCell> cells, int columns)
    {
        var text = new StringBuilder(Invariant($"contact sheet of {cells.Count} pictures in {columns} columns"));
        for (int cell = 0; cell < cells.Count; cell++)
        {
            text.Append(Invariant($"\n{cell + 1}: {Part(cells[cell].Label)}"));
            if (cells[cell].Name is { } name) text.Append(Invariant($" [{Part(name)}]"));
        }

        return text.ToString();
    }

    private static string Part(string part) =>
        string.Concat(part.Take(LongestPart).Select(letter => char.IsControl(letter) || char.IsSurrogate(letter) ? ' ' : letter));
}
