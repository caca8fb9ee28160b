using System.Globalization;

namespace MuseAtelier.Export.Loras;

/// <summary>Reads <c>FILE[:STRENGTH[:TEXT]]</c> of a command line.</summary>
/// <param name="Path">Path of the file.</param>
/// <param name="Strength">The factor of the changes to the UNet; null if it is not given, which means 1.</param>
/// <param name="TextStrength">
/// The factor of the changes to the text encoders; null if it is not given, which means that of the UNet.
/// </param>
internal sealed record LoraArgument(string Path, float? Strength, float? TextStrength)
{
    /// <summary>Reads an argument. Only numbers at its end are strengths, because a path may have colons too.</summary>
    public static LoraArgument Parse(string text)
    {
        List<float> numbers = [];
        while (numbers.Count < 2 && text.LastIndexOf(':') is var colon and > 0
            && TryNumber(text.AsSpan(colon + 1), out float number))
        {
            numbers.Insert(0, number);
            text = text[..colon];
        }

        return new LoraArgument(text, numbers.Count > 0 ? numbers[0] : null, numbers.Count > 1 ? numbers[1] : null);
    }

    // Python's word for infinity is a number too, which is refused as a strength and is no part of the path.
    private static bool TryNumber(ReadOnlySpan<char> text, out float number)
    {
        if (float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number)) return true;
        number = text.StartsWith("-") ? float.NegativeInfinity : float.PositiveInfinity;
        return text.TrimStart("+-").Equals("inf", StringComparison.OrdinalIgnoreCase);
    }
}
