using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace MuseAtelier.Cli.Choices;

/// <summary>Two numbers of pixels.</summary>
/// <param name="First">The width, or the column.</param>
/// <param name="Second">The height, or the row.</param>
internal sealed record SizePair(int First, int Second)
{
    /// <summary>An option whose value is two whole numbers.</summary>
    /// <param name="name">The option's name.</param>
    /// <param name="description">Its description.</param>
    /// <param name="separator">The sign between the numbers.</param>
    public static Option<SizePair?> Option(string name, string description, string separator) => new(name)
    {
        Description = description,
        HelpName = separator == "x" ? "WxH" : "X,Y",
        CustomParser = result => Parse(result, name, separator),
    };

    private static SizePair? Parse(ArgumentResult result, string name, string separator)
    {
        string text = result.Tokens[0].Value;
        string[] parts = text.Split(separator, StringSplitOptions.TrimEntries);
        bool areWhole = parts.Length == 2 && IsWhole(parts[0]) && IsWhole(parts[1]);
        if (areWhole) return new SizePair(Number(parts[0]), Number(parts[1]));
        string example = separator == "x" ? "1024x1024" : "0,0";
        result.AddError($"{name} is '{text}'; expected two whole numbers of pixels, such as {example}");
        return null;
    }

    private static bool IsWhole(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _);

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
