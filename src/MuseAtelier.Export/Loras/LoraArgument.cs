using System.Globalization;

namespace MuseAtelier.Export.Loras;

/// <summary>Reads <c>FILE[:STRENGTH[:TEXT]]</c> of a command line.</summary>
/// <param name="Path">Path of the file.</param>
/// <param name="Strength">The factor of the changes to the UNet.</param>
/// <param name="TextStrength">The factor of the changes to the text encoders.</param>
internal sealed record LoraArgument(string Path, float Strength, float TextStrength)
{
    /// <summary>Reads an argument. Only numbers at its end are strengths, because a path may have colons too.</summary>
    public static LoraArgument Parse(string text)
    {
        List<float> numbers = [];
        while (numbers.Count < 2 && text.LastIndexOf(':') is var colon and > 0
            && float.TryParse(text.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out float number))
        {
            numbers.Insert(0, number);
            text = text[..colon];
        }

        float strength = numbers.Count > 0 ? numbers[0] : 1;
        return new LoraArgument(text, strength, numbers.Count > 1 ? numbers[1] : strength);
    }
}
