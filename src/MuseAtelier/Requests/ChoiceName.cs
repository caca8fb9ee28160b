using System.Text.Json;

namespace MuseAtelier;

/// <summary>The rules of the names that requests give to samplers and noise sources.</summary>
internal static class ChoiceName
{
    private const int Longest = 64;
    private const string Rule = "1 to 64 ASCII letters, digits and the signs - _ . and +";

    /// <summary>Whether a text can be a name: 1 to 64 ASCII letters, digits and the signs - _ . and +.</summary>
    public static bool IsLegal(string? text) =>
        text is { Length: >= 1 and <= Longest }
        && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' or '+');

    /// <summary>Gives a text that can be a name; a name of this library in its own spelling.</summary>
    /// <param name="text">The text.</param>
    /// <param name="known">The names of this library.</param>
    /// <exception cref="ArgumentException">The text cannot be a name.</exception>
    public static string Check(string text, string[] known)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!IsLegal(text)) throw new ArgumentException($"A name has {Rule}.", nameof(text));
        return Array.Find(known, name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) ?? text;
    }

    /// <summary>Reads a name from JSON.</summary>
    /// <exception cref="JsonException">The value is not a string that can be a name.</exception>
    public static string Read(ref Utf8JsonReader reader)
    {
        string? text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
        return IsLegal(text) ? text! : throw new JsonException($"A name is a string of {Rule}.");
    }
}
