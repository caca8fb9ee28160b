using System.Globalization;
using System.Numerics;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>Reads the values of settings in AUTOMATIC1111's text without which no picture can be painted.</summary>
/// <param name="path">Path of the picture, for messages.</param>
internal sealed class SettingValues(string path)
{
    private const int LongestQuote = 40;

    /// <summary>Reads a whole number.</summary>
    /// <exception cref="ParametersTextException">The value is none.</exception>
    public T Whole<T>(string name, string value) where T : struct, INumber<T> =>
        T.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out T number) ? number : throw Bad(name, value);

    /// <summary>Reads a finite number.</summary>
    /// <exception cref="ParametersTextException">The value is none.</exception>
    public float Number(string name, string value) =>
        float.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) && float.IsFinite(number) ? number
            : throw Bad(name, value);

    /// <summary>Reads two whole numbers with an x between them.</summary>
    /// <exception cref="ParametersTextException">The value is none.</exception>
    public (int First, int Second) Pair(string name, string value)
    {
        string[] parts = value.Split('x');
        return parts.Length == 2 ? (Whole<int>(name, parts[0]), Whole<int>(name, parts[1])) : throw Bad(name, value);
    }

    private ParametersTextException Bad(string name, string value)
    {
        string quote = value.Length <= LongestQuote ? value : value[..LongestQuote] + "…";
        return new ParametersTextException(path, $"{name} is '{quote}'");
    }
}
