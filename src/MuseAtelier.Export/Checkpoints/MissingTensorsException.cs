namespace MuseAtelier.Export.Checkpoints;

/// <summary>A needed tensor that is missing, or has another shape than the network asks for.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Found">The shape that the file has; null when the tensor is missing.</param>
/// <param name="Expected">The shape that the network asks for; null when any would do.</param>
public sealed record TensorMismatch(string Name, IReadOnlyList<long>? Found, IReadOnlyList<long>? Expected)
{
    /// <summary>The types that weights are read from, in words.</summary>
    internal const string ReadTypes = "F16, BF16, F32, F64, F8_E4M3 or F8_E5M2";

    /// <summary>The element type that the file has; null when the tensor is missing, or its type does not matter.</summary>
    public string? Type { get; init; }

    /// <summary>What else is wrong, in words; null where shape and type tell it.</summary>
    public string? Problem { get; init; }

    /// <summary>Whether the shape fits, but weights are not read from the type.</summary>
    internal bool IsTypeAlone { get; init; }

    /// <summary>The mismatch in words: name, what was found and what was expected.</summary>
    public override string ToString()
    {
        if (Problem is not null) return $"{SafetensorsHeader.Shorten(Name)} ({Problem})";
        string found = Found is null ? "missing"
            : $"found {SafetensorsHeader.ShapeText(Found)}{(Type is null ? "" : $" of {SafetensorsHeader.Shorten(Type)}")}";
        if (IsTypeAlone) return $"{SafetensorsHeader.Shorten(Name)} ({found}, expected {ReadTypes})";
        return Expected is null ? $"{SafetensorsHeader.Shorten(Name)} ({found})" : $"{SafetensorsHeader.Shorten(Name)} ({found}, expected {SafetensorsHeader.ShapeText(Expected)})";
    }
}

/// <summary>Tensors that the network needs are missing or misshapen.</summary>
public sealed class MissingTensorsException(string path, IReadOnlyList<TensorMismatch> mismatches)
    : CheckpointException(path, $"{path} {Describe(mismatches)}", "every tensor of an SDXL network in its shape", "The file is incomplete or of another design: take the complete SDXL checkpoint.")
{
    private const int Shown = 3;

    /// <summary>Every missing or misshapen tensor.</summary>
    public IReadOnlyList<TensorMismatch> Mismatches { get; } = mismatches;

    private static string Describe(IReadOnlyList<TensorMismatch> mismatches)
    {
        string count = mismatches.Count == 1 ? "lacks or misshapes 1 needed tensor" : $"lacks or misshapes {mismatches.Count} needed tensors";
        string first = string.Join(", ", mismatches.Take(Shown));
        return mismatches.Count > Shown ? $"{count}: {first} and {mismatches.Count - Shown} more" : $"{count}: {first}";
    }
}
