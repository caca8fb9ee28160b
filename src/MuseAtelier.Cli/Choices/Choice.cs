using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using MuseAtelier.Sampling;
using static System.FormattableString;

namespace MuseAtelier.Cli.Choices;

/// <summary>Creates options whose values are names or numbers. Any other value is refused with a message of one line.</summary>
internal static class Choice
{
    private const string DefaultMark = " [default:";

    /// <summary>An option whose value is a member of an enumeration, in any case; the first member is the default.</summary>
    /// <param name="name">The option's name.</param>
    /// <param name="description">Its description.</param>
    /// <param name="former">
    /// Former names of members, in lower case. They are still read, because scripts use them, but the help does not show them.
    /// </param>
    public static Option<T> Of<T>(string name, string description, IReadOnlyDictionary<string, T>? former = null) where T : struct, Enum
    {
        string[] names = [.. Enum.GetNames<T>().Select(value => value.ToLowerInvariant())];
        return new Option<T>(name)
        {
            Description = $"{description}{DefaultMark} {names[0]}]",
            HelpName = string.Join('|', names),
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                string word = text.ToLowerInvariant();
                int index = Array.IndexOf(names, word);
                if (index >= 0) return Enum.GetValues<T>()[index];
                if (former is not null && former.TryGetValue(word, out T value)) return value;
                return Refuse<T>(result, name, text, Names(text, names));
            },
        };
    }

    /// <summary>
    /// An option whose value is a member of an enumeration under another name, in any case; the first one is the default.
    /// </summary>
    /// <param name="name">The option's name.</param>
    /// <param name="description">Its description.</param>
    /// <param name="values">The values by their names in lower case, in the order of the help.</param>
    public static Option<T> Named<T>(string name, string description, IReadOnlyDictionary<string, T> values) where T : struct, Enum
    {
        string[] names = [.. values.Keys];
        return new Option<T>(name)
        {
            Description = $"{description}{DefaultMark} {names[0]}]",
            HelpName = string.Join('|', names),
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (values.TryGetValue(text.ToLowerInvariant(), out T value)) return value;
                return Refuse<T>(result, name, text, Names(text, names));
            },
        };
    }

    /// <summary>An option whose value is one of some names, in any case; the first name is the default.</summary>
    /// <param name="name">The option's name.</param>
    /// <param name="description">Its description.</param>
    /// <param name="names">The names, in lower case.</param>
    public static Option<string> Named(string name, string description, params string[] names) => new(name)
    {
        Description = description,
        HelpName = string.Join('|', names),
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            string? known = Array.Find(names, known => known.Equals(text, StringComparison.OrdinalIgnoreCase));
            if (known is null) result.AddError(Refusal(name, text, Names(text, names)));
            return known ?? names[0];
        },
        DefaultValueFactory = _ => names[0],
    };

    /// <summary>An option whose value is a sampler by any program's name; Euler ancestral is the default.</summary>
    /// <param name="name">The option's name.</param>
    /// <param name="description">Its description without a point, which the names follow.</param>
    public static Option<SamplerName> Sampler(string name, string description)
    {
        string[] ids = [.. SamplerCatalog.BuiltIn.Names.Select(sampler => sampler.Id)];
        return new Option<SamplerName>(name)
        {
            Description = $"{description}: {string.Join(", ", ids)}, or another program's name. [default: {ids[0]}]",
            HelpName = "NAME",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                if (SamplerCatalog.BuiltIn.Find(text) is { } found) return found;
                if (WithSchedule(text) is { } both) return Refuse<SamplerName>(result, name, text, both);
                return Refuse<SamplerName>(result, name, text, Names(ids, SamplerCatalog.BuiltIn.Nearest(text)));
            },
        };
    }

    // AUTOMATIC1111 wrote both in one name up to version 1.8: DPM++ 2M Karras.
    private static string? WithSchedule(string text)
    {
        for (int i = 1; i < text.Length; i++)
        {
            if (text[i] is not (' ' or '_') || SamplerCatalog.BuiltIn.Find(text[..i]) is not { } sampler) continue;
            if (ScheduleCatalog.Find(text[i..]) is not { } schedule) continue;
            return $"a sampler without its schedule. Did you mean {sampler.Id} with --schedule {ScheduleCatalog.IdOf(schedule)}?";
        }

        return null;
    }

    /// <summary>An option whose value is a whole number.</summary>
    /// <param name="name">The option's name.</param>
    /// <param name="description">Its description.</param>
    /// <param name="standard">The default; null if the description states it.</param>
    /// <param name="least">The smallest value that is allowed.</param>
    /// <param name="most">The largest value that is allowed.</param>
    public static Option<int> Whole(
        string name, string description, int? standard, int least = int.MinValue, int most = int.MaxValue) => new(name)
        {
            Description = description,
            HelpName = "N",
            CustomParser = result =>
            {
                string text = result.Tokens[0].Value;
                bool isWhole = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value);
                return isWhole && value >= least && value <= most ? value : Refuse<int>(result, name, text, Range(least, most));
            },
            DefaultValueFactory = standard is { } known ? _ => known : null,
        };

    /// <summary>An option whose value is a number.</summary>
    /// <param name="name">The option's name.</param>
    /// <param name="description">Its description.</param>
    /// <param name="standard">The default; null if the description states it.</param>
    public static Option<float> Number(string name, string description, float? standard) => new(name)
    {
        Description = description,
        HelpName = "X",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            bool isNumber = float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float value);
            return isNumber ? value : Refuse<float>(result, name, text, "a number");
        },
        DefaultValueFactory = standard is { } known ? _ => known : null,
    };

    /// <summary>
    /// Makes the help say that an option that is not given takes its value from a picture's file, in place of the usual default.
    /// </summary>
    /// <param name="options">The options. Those without a default stay as they are.</param>
    public static void TakeFromPicture(IEnumerable<Option> options)
    {
        foreach (Option option in options)
        {
            string description = option.Description ?? "";
            int stated = description.IndexOf(DefaultMark, StringComparison.Ordinal);
            if (stated < 0 && !option.HasDefaultValue) continue;
            option.Description = $"{(stated < 0 ? description : description[..stated])}{DefaultMark} the picture's]";
            if (option is Option<int> whole) whole.DefaultValueFactory = null;
            if (option is Option<float> number) number.DefaultValueFactory = null;
            if (option is Option<string> text) text.DefaultValueFactory = null;
        }
    }

    /// <summary>The value of an option that the command line gives; of another one, the basis.</summary>
    public static T Given<T>(ParseResult result, Option<T> option, T basis) =>
        IsGiven(result, option) ? result.GetValue(option)! : basis;

    /// <summary>All names, and a question if some are near to what the user wrote.</summary>
    public static string Names(string text, IReadOnlyList<string> names) => Names(names, NearestNames.Of(text, names));

    /// <summary>The refusal of a value.</summary>
    public static string Refusal(string name, string text, string expected) => $"{name} is '{text}'; expected {expected}";

    /// <summary>Whether the command line gives an option.</summary>
    public static bool IsGiven(ParseResult result, Option option) => result.GetResult(option) is { Implicit: false };

    /// <summary>Refuses options that say nothing without another one.</summary>
    /// <param name="result">The command line; the refusal is added to it.</param>
    /// <param name="needed">The option that they need.</param>
    /// <param name="options">The options.</param>
    public static void Require(CommandResult result, Option needed, IEnumerable<Option> options)
    {
        if (result.GetResult(needed) is { Implicit: false }) return;
        foreach (Option option in options)
            if (result.GetResult(option) is { Implicit: false }) result.AddError($"{option.Name} needs {needed.Name}.");
    }

    private static string Names(IReadOnlyList<string> names, IReadOnlyList<string> nearest) =>
        $"{string.Join(", ", names)}. {NearestNames.Question(nearest)}".TrimEnd(' ', '.');

    private static string Range(int least, int most) => (least, most) switch
    {
        (int.MinValue, int.MaxValue) => "a whole number",
        (_, int.MaxValue) => Invariant($"a whole number from {least} on"),
        _ => Invariant($"a whole number from {least} to {most}"),
    };

    private static T Refuse<T>(ArgumentResult result, string name, string text, string expected) where T : struct
    {
        result.AddError(Refusal(name, text, expected));
        return default;
    }
}
