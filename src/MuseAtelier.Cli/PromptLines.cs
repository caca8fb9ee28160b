using System.Globalization;
using System.Text;
using System.Text.Json;
using MuseAtelier.Cli.Streams;
using static System.FormattableString;

namespace MuseAtelier.Cli;

/// <summary>Reads files of prompts: one JSON string a line.</summary>
internal static class PromptLines
{
    private const int EscapeLength = 6;

    /// <summary>Reads the prompts of a file lazily; the path <c>-</c> means standard input.</summary>
    /// <exception cref="PromptLineException">A line is not a JSON string, or not UTF-8.</exception>
    /// <exception cref="PromptFileException">The file cannot be read.</exception>
    public static IEnumerable<string> Read(string path)
    {
        using TextReader reader = Open(path);
        int number = 0;
        while (ReadLine(path, number + 1, reader) is { } line)
        {
            number++;
            yield return Parse(path, number, line);
        }
    }

    private static string? ReadLine(string path, int number, TextReader reader)
    {
        try
        {
            return reader.ReadLine();
        }
        catch (DecoderFallbackException exception)
        {
            // The reader decodes a few thousand letters ahead, so the invalid bytes are in this line or in a later one.
            throw new PromptLineException(path, number, "not in UTF-8, or a line soon after it is not", exception);
        }
    }

    private static TextReader Open(string path)
    {
        try
        {
            return path == "-" ? ProcessStreams.OpenInput() : new StreamReader(path, ProcessStreams.StrictUtf8);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PromptFileException(path, exception);
        }
    }

    private static string Parse(string path, int number, string line)
    {
        try
        {
            return JsonSerializer.Deserialize<string>(ReplaceUnpaired(line)) ?? throw new PromptLineException(path, number, "null");
        }
        catch (JsonException exception)
        {
            throw new PromptLineException(path, number, "not a JSON string", exception);
        }
    }

    /// <summary>
    /// Replaces escaped surrogates without a partner by U+FFFD. JSON may contain them, but .NET's reader refuses them, and the tokenizer
    /// counts such a surrogate as U+FFFD.
    /// </summary>
    internal static string ReplaceUnpaired(string json)
    {
        if (!json.Contains("\\u", StringComparison.Ordinal)) return json;
        char[] text = json.ToCharArray();
        for (int i = 0; i < text.Length - 1; i++)
        {
            if (text[i] != '\\') continue;
            char? unit = Escaped(text, i);
            if (unit is null)
            {
                // Another escape, such as \n or \\: skip its second letter.
                i++;
                continue;
            }

            bool isPair = char.IsHighSurrogate(unit.Value)
                && Escaped(text, i + EscapeLength) is { } low
                && char.IsLowSurrogate(low);
            if (!isPair && char.IsSurrogate(unit.Value)) "FFFD".CopyTo(text.AsSpan(i + 2));
            i += (isPair ? 2 * EscapeLength : EscapeLength) - 1;
        }

        return new string(text);
    }

    // The UTF-16 unit of the escape \uXXXX at this place; null if there is none.
    private static char? Escaped(char[] text, int start)
    {
        if (start + EscapeLength > text.Length || text[start] != '\\' || text[start + 1] != 'u') return null;
        ReadOnlySpan<char> digits = text.AsSpan(start + 2, EscapeLength - 2);
        return ushort.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit) ? (char)unit : null;
    }
}

/// <summary>A file of prompts cannot be read.</summary>
internal sealed class PromptFileException(string path, Exception inner)
    : MuseAtelierException(
        $"{path} cannot be read ({inner.Message.TrimEnd('.')})",
        "a readable file with one JSON string a line",
        "Check its name and permissions.",
        inner);

/// <summary>A line of a file of prompts is not a JSON string.</summary>
internal sealed class PromptLineException(string path, int line, string found, Exception? inner = null)
    : MuseAtelierException(
        Invariant($"line {line} of {path} is {found}"),
        "one JSON string a line, such as \"a starry night\"",
        "Correct the line.",
        inner);
