using static System.FormattableString;

namespace MuseAtelier;

/// <summary>Reference values that cannot be compared with the model.</summary>
public abstract class ReferenceException : MuseAtelierException
{
    private protected ReferenceException(string path, string found, string expected, string remedy, Exception? inner = null)
        : base(found, expected, remedy, inner) => Path = path;

    /// <summary>Path of the file with the values.</summary>
    public string Path { get; }
}

/// <summary>A reference tensor whose shape does not fit the model, because it was made from another model.</summary>
public sealed class ReferenceShapeException : ReferenceException
{
    internal ReferenceShapeException(string path, string name, IReadOnlyList<long> shape, string expected)
        : base(
            path,
            Invariant($"{name} of {path} has shape [{string.Join(", ", shape)}]"),
            expected,
            "Take the reference values of this very model.") =>
            Name = name;

    /// <summary>The tensor's name.</summary>
    public string Name { get; }
}

/// <summary>A reference tensor with a value that no model of this kind accepts.</summary>
public sealed class ReferenceValueException : ReferenceException
{
    internal ReferenceValueException(string path, string name, double value, string expected)
        : base(
            path,
            Invariant($"{name} of {path} holds {value}"),
            expected,
            "Fetch the file again, or make it anew from this very model.") =>
            Name = name;

    /// <summary>The tensor's name.</summary>
    public string Name { get; }
}

/// <summary>A JSON file beside the values whose content is not as expected.</summary>
public sealed class ReferenceNotesException : ReferenceException
{
    internal ReferenceNotesException(string path, string found, Exception? inner = null)
        : base(
            path,
            $"{path} is unusable: {found}",
            "JSON with prompts, tokens_l and tokens_g_pad0, 77 ids for each prompt",
            "Fetch the file again, or remove it to leave the text encoders out.",
            inner)
    {
    }
}
