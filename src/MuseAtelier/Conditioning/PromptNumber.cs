using System.Globalization;

namespace MuseAtelier.Conditioning;

/// <summary>Numbers and white space of prompts, as Python's regular expressions and <c>float</c> take them.</summary>
internal static class PromptNumber
{
    /// <summary>Whether Python's <c>\s</c> matches a character.</summary>
    public static bool IsWhiteSpace(char letter) => char.IsWhiteSpace(letter) || letter is >= '\u001C' and <= '\u001F';

    /// <summary>Reads a number with an optional sign and an optional point, whose digits may be of any script.</summary>
    /// <param name="number">The number's text.</param>
    /// <param name="value">The number; 0 if it is none.</param>
    public static bool TryParse(string number, out double value)
    {
        string digits = string.Concat(number.Select(letter =>
            char.IsDigit(letter) ? (char)('0' + CharUnicodeInfo.GetDecimalDigitValue(letter)) : letter));
        const NumberStyles styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;
        return double.TryParse(digits, styles, CultureInfo.InvariantCulture, out value);
    }
}
