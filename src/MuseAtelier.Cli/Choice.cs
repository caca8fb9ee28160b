using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace MuseAtelier.Cli;

/// <summary>Options whose values are named or counted; whatever else is given is refused in one line.</summary>
internal static class Choice
{
    /// <summary>One of an enumeration's values, by its name in lower case; the first of them where the option is not given.</summary>
    public static Option<T> Of<T>(string name, string description) where T : struct, Enum
    {
        string[] names = [.. Enum.GetNames<T>().Select(value => value.ToLowerInvariant())];
        return new Option<T>(name)
        {
            Description = $"{description} [default: {names[0]}]",
            HelpName = string.Join('|', names),
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                int index = Array.IndexOf(names, text.ToLowerInvariant());
                if (index >= 0) return Enum.GetValues<T>()[index];
                return Refuse<T>(result, name, text, string.Join(", ", names));
            },
        };
    }

    /// <summary>One of some names, in any case; the first of them where the option is not given.</summary>
    /// <param name="name">The option's name.</param>
    /// <param name="description">Its description.</param>
    /// <param name="names">The names, in lower case.</param>
    public static Option<string> Named(string name, string description, params string[] names) => new(name)
    {
        Description = $"{description} [default: {names[0]}]",
        HelpName = string.Join('|', names),
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            string? known = Array.Find(names, known => known.Equals(text, StringComparison.OrdinalIgnoreCase));
            if (known is null) result.AddError(Refusal(name, text, string.Join(", ", names)));
            return known ?? names[0];
        },
        DefaultValueFactory = _ => names[0],
    };

    /// <summary>A whole number.</summary>
    /// <param name="name">The option's name.</param>
    /// <param name="description">Its description.</param>
    /// <param name="standard">What stands for it where it is not given.</param>
    /// <param name="least">The least that is allowed.</param>
    /// <param name="most">The most that is allowed.</param>
    public static Option<int> Whole(string name, string description, int standard, int least = int.MinValue, int most = int.MaxValue) => new(name)
    {
        Description = description,
        HelpName = "N",
        CustomParser = result => int.TryParse(result.Tokens[0].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most
            ? value
            : Refuse<int>(result, name, result.Tokens[0].Value, (least, most) switch
            {
                (int.MinValue, int.MaxValue) => "a whole number",
                (_, int.MaxValue) => string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} on"),
                _ => string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"),
            }),
        DefaultValueFactory = _ => standard,
    };

    /// <summary>A number.</summary>
    public static Option<float> Number(string name, string description, float standard) => new(name)
    {
        Description = description,
        HelpName = "X",
        CustomParser = result => float.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out float value)
            ? value
            : Refuse<float>(result, name, result.Tokens[0].Value, "a number"),
        DefaultValueFactory = _ => standard,
    };

    private static T Refuse<T>(ArgumentResult result, string name, string text, string expected) where T : struct
    {
        result.AddError(Refusal(name, text, expected));
        return default;
    }

    private static string Refusal(string name, string text, string expected) => $"{name} is '{text}'; expected {expected}";
}
