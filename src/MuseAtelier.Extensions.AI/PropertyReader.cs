using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.AI;
using MuseAtelier.Sampling;

namespace MuseAtelier.Extensions.AI;

/// <summary>Reads values of additional properties by the keys of <see cref="MuseImageKeys"/>.</summary>
/// <param name="properties">The properties; null means none.</param>
internal sealed class PropertyReader(AdditionalPropertiesDictionary? properties)
{
    private const string Removal = "Change it, or leave the key out.";

    /// <summary>The value as it is; null if the key is not given.</summary>
    public object? Value(string key) => Find(key);

    /// <summary>A text; null if the key is not given.</summary>
    /// <exception cref="ImageOptionException">The value is not a text.</exception>
    public string? Text(string key)
    {
        if (Find(key) is not { } value) return null;
        return value is string or JsonElement { ValueKind: JsonValueKind.String }
            ? PropertyText.Of(value)
            : throw Refusal(key, value, "a text");
    }

    /// <summary>A whole number within a range; null if the key is not given.</summary>
    /// <exception cref="ImageOptionException">The value is not such a number.</exception>
    public int? Integer(string key, int least = int.MinValue, int most = int.MaxValue) => (int?)WholeNumber(key, least, most);

    /// <summary>A seed; null if the key is not given, or if it is -1 and may be.</summary>
    /// <param name="key">The key.</param>
    /// <param name="mayBeDrawn">Whether -1 is allowed.</param>
    /// <exception cref="ImageOptionException">The value is not a whole number from 0 to 2^64 - 1.</exception>
    public ulong? Seed(string key, bool mayBeDrawn) =>
        WholeNumber(key, mayBeDrawn ? -1 : 0, ulong.MaxValue) is { } seed and not -1 ? (ulong)seed : null;

    /// <summary>A number; null if the key is not given.</summary>
    /// <exception cref="ImageOptionException">The value is not a finite number.</exception>
    public float? Number(string key)
    {
        if (Find(key) is not { } value) return null;
        return float.TryParse(PropertyText.Of(value), CultureInfo.InvariantCulture, out float number) && float.IsFinite(number)
            ? number
            : throw Refusal(key, value, "a number");
    }

    /// <summary>A value of an enumeration by its name, in any case and punctuation; null if the key is not given.</summary>
    /// <exception cref="ImageOptionException">The value is none of the names.</exception>
    public T? Choice<T>(string key)
        where T : struct, Enum
    {
        if (Find(key) is not { } value) return null;
        string[] names = Enum.GetNames<T>();
        string folded = PropertyText.Fold(PropertyText.Of(value) ?? "");
        int index = Array.FindIndex(names, name => PropertyText.Fold(name) == folded);
        if (index < 0)
            throw Refusal(key, value, $"one of {string.Join(", ", names.Select(JsonNamingPolicy.SnakeCaseLower.ConvertName))}");
        return Enum.Parse<T>(names[index]);
    }

    /// <summary>A sampler by any program's name, or a name that an atelier may know; null if the key is not given.</summary>
    /// <exception cref="ImageOptionException">The value is no name of a sampler.</exception>
    public SamplerName? Sampler(string key)
    {
        if (Find(key) is not { } value) return null;
        string name = PropertyText.Of(value) ?? throw NoSampler();
        if (SamplerCatalog.BuiltIn.Find(name) is { } known) return known;
        try
        {
            return new SamplerName(name);
        }
        catch (ArgumentException)
        {
            throw NoSampler();
        }

        ImageOptionException NoSampler() =>
            Refusal(key, value, $"one of {string.Join(", ", SamplerCatalog.BuiltIn.Names)}, or a sampler that the atelier registers");
    }

    /// <summary>A noise source; null if the key is not given.</summary>
    /// <exception cref="ImageOptionException">The value cannot be the name of a noise source.</exception>
    public NoiseSource? NoiseSource(string key)
    {
        if (Find(key) is not { } value) return null;
        try
        {
            return new NoiseSource(PropertyText.Of(value) ?? "");
        }
        catch (ArgumentException)
        {
            throw Refusal(key, value, "a name such as diffusers, a1111 or comfy");
        }
    }

    /// <summary>A schedule by any program's name; null if the key is not given.</summary>
    /// <exception cref="ImageOptionException">No schedule has the name.</exception>
    public NoiseSchedule? Schedule(string key)
    {
        if (Find(key) is not { } value) return null;
        return ScheduleCatalog.Find(PropertyText.Of(value) ?? "")
            ?? throw Refusal(key, value, $"one of {string.Join(", ", ScheduleCatalog.Ids)}");
    }

    /// <summary>A preset; null if the key is not given.</summary>
    /// <exception cref="ImageOptionException">No preset has the name.</exception>
    public FewStepPreset? Preset(string key)
    {
        if (Find(key) is not { } value) return null;
        return FewStepPreset.Find(PropertyText.Of(value) ?? "")
            ?? throw Refusal(key, value, $"one of {string.Join(", ", FewStepPreset.All.Select(preset => preset.Name))}");
    }

    // A decimal holds every whole number of 64 bits, and reads 30.0 and 3e1 as well.
    private decimal? WholeNumber(string key, decimal least, decimal most)
    {
        if (Find(key) is not { } value) return null;
        bool isWhole = decimal.TryParse(PropertyText.Of(value), NumberStyles.Float, CultureInfo.InvariantCulture, out decimal number)
            && decimal.IsInteger(number)
            && number >= least
            && number <= most;
        if (isWhole) return number;
        throw Refusal(key, value, string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"));
    }

    private object? Find(string key) =>
        properties is not null && properties.TryGetValue(key, out object? value) && !PropertyText.IsMissing(value) ? value : null;

    private static ImageOptionException Refusal(string key, object value, string expected) =>
        new(key, PropertyText.Describe(value), expected, Removal);
}
