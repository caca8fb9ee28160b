using System.Globalization;

namespace MuseAtelier;

/// <summary>Reference values that the model cannot be held against.</summary>
public abstract class ReferenceException(string path, string found, string expected, string remedy, Exception? inner = null) : MuseAtelierException(found, expected, remedy, inner)
{
    /// <summary>Path of the file with the values.</summary>
    public string Path { get; } = path;
}

/// <summary>A reference tensor has another shape than the model's: it was made from another model.</summary>
public sealed class ReferenceShapeException(string path, string name, IReadOnlyList<long> shape, string expected)
    : ReferenceException(path, string.Create(CultureInfo.InvariantCulture, $"{name} of {path} has shape [{string.Join(", ", shape)}]"), expected, "Take the reference values of this very model.")
{
    /// <summary>The tensor's name.</summary>
    public string Name { get; } = name;
}

/// <summary>A reference tensor holds a value that no model of this kind takes.</summary>
public sealed class ReferenceValueException(string path, string name, double value, string expected)
    : ReferenceException(path, string.Create(CultureInfo.InvariantCulture, $"{name} of {path} holds {value}"), expected,
        "Fetch the file again, or make it anew from this very model.")
{
    /// <summary>The tensor's name.</summary>
    public string Name { get; } = name;
}

/// <summary>The JSON file beside the values does not hold what belongs there.</summary>
public sealed class ReferenceNotesException(string path, string found, Exception? inner = null)
    : ReferenceException(path, $"{path} is unusable: {found}", "JSON with prompts, tokens_l and tokens_g_pad0, 77 ids for each prompt", "Fetch the file again, or remove it to leave the text encoders out.", inner);
