using System.Globalization;
using System.Text;
using System.Text.Json;
using MuseAtelier.Cli.Streams;

namespace MuseAtelier.Cli;

/// <summary>Files of prompts: one JSON string a line.</summary>
internal static class PromptLines
{
    /// <summary>The prompts of a file, read as they are asked for; <c>-</c> reads standard input.</summary>
    /// <exception cref="PromptLineException">A line is no JSON string, or not in UTF-8.</exception>
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
            // Read a few thousand letters ahead, so the line is the first that may be wrong.
            throw new PromptLineException(path, number, "not in UTF-8, or one soon after it is not", exception);
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
            throw new PromptLineException(path, number, "no JSON string", exception);
        }
    }

    // JSON may escape half of a pair of surrogates; the reader would refuse it, where the tokenizer counts it as U+FFFD.
    internal static string ReplaceUnpaired(string json)
    {
        if (!json.Contains("\\u", StringComparison.Ordinal)) return json;
        char[] text = json.ToCharArray();
        for (int i = 0; i < text.Length - 1; i++)
        {
            if (text[i] != '\\') continue;
            char? unit = Escaped(text, i);
            if (unit is null) i++;
            else if (char.IsHighSurrogate(unit.Value) && Escaped(text, i + 6) is { } low && char.IsLowSurrogate(low)) i += 11;
            else
            {
                if (char.IsSurrogate(unit.Value)) "FFFD".CopyTo(text.AsSpan(i + 2));
                i += 5;
            }
        }

        return new string(text);
    }

    private static char? Escaped(char[] text, int start) =>
        start + 6 <= text.Length && text[start] == '\\' && text[start + 1] == 'u' && ushort.TryParse(text.AsSpan(start + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit) ? (char)unit : null;
}

/// <summary>A file of prompts cannot be read.</summary>
internal sealed class PromptFileException(string path, Exception inner)
    : MuseAtelierException($"{path} cannot be read ({inner.Message.TrimEnd('.')})", "a readable file with one JSON string a line", "Check its name and permissions.", inner);

/// <summary>A line of a file of prompts is no JSON string.</summary>
internal sealed class PromptLineException(string path, int line, string found, Exception? inner = null)
    : MuseAtelierException(string.Create(CultureInfo.InvariantCulture, $"line {line} of {path} is {found}"), "one JSON string a line, such as \"a starry night\"", "Correct the line.", inner);
