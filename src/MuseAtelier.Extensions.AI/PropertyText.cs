using System.Globalization;
using System.Text.Json;

namespace MuseAtelier.Extensions.AI;

/// <summary>The text of a value of additional properties.</summary>
internal static class PropertyText
{
    private const int LongestShown = 40;

    /// <summary>
    /// The text of a number, of a text, of an enumeration's value, of a name of this library, or of a JSON element with a number or a text.
    /// Null for all others.
    /// </summary>
    public static string? Of(object value) => value switch
    {
        string text => text,
        JsonElement { ValueKind: JsonValueKind.String } element => element.GetString(),
        JsonElement { ValueKind: JsonValueKind.Number } element => element.GetRawText(),
        SamplerName sampler => sampler.Id,
        NoiseSource source => source.Id,
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => null,
    };

    /// <summary>Whether a value means that its key is not given.</summary>
    public static bool IsMissing(object? value) =>
        value is null or JsonElement { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined };

    /// <summary>The words by which a message names a value.</summary>
    public static string Describe(object value) => Of(value) is { } text ? $"'{Shorten(text)}'" : value switch
    {
        JsonElement element => $"a JSON value of the kind {element.ValueKind}",
        _ => $"a value of the type {value.GetType().Name}",
    };

    /// <summary>A text without what exceeds the length that messages show.</summary>
    public static string Shorten(string text) =>
        text.Length <= LongestShown ? text : string.Concat(text.AsSpan(0, LongestShown - 1), "…");

    /// <summary>The ASCII letters and digits of a name in lower case.</summary>
    public static string Fold(string name) => string.Concat(name.Where(char.IsAsciiLetterOrDigit).Select(char.ToLowerInvariant));
}
