using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier;

/// <summary>A required tensor that is missing or does not fit the network.</summary>
public sealed record TensorMismatch
{
    /// <summary>The element types that are supported for weights, in words.</summary>
    internal const string ReadTypes = "F16, BF16, F32, F64, F8_E4M3 or F8_E5M2";

    internal TensorMismatch(string name, IReadOnlyList<long>? found, IReadOnlyList<long>? expected)
    {
        Name = name;
        Found = found;
        Expected = expected;
    }

    /// <summary>The tensor's name.</summary>
    public string Name { get; init; }

    /// <summary>The shape in the file; null when the tensor is missing.</summary>
    public IReadOnlyList<long>? Found { get; init; }

    /// <summary>The shape that the network requires; null when any shape fits.</summary>
    public IReadOnlyList<long>? Expected { get; init; }

    /// <summary>The element type in the file; null when the tensor is missing or its type does not matter.</summary>
    public string? Type { get; init; }

    /// <summary>The problem in words; null where it is one of shape or type.</summary>
    public string? Problem { get; init; }

    /// <summary>Whether the shape fits, but the element type is not supported for weights.</summary>
    internal bool IsTypeAlone { get; init; }

    /// <summary>The mismatch in words: the name, the tensor that was found and the expected one.</summary>
    public override string ToString()
    {
        string name = SafetensorsHeader.Shorten(Name);
        if (Problem is not null) return $"{name} ({Problem})";
        if (IsTypeAlone) return $"{name} ({FoundText()}, expected {ReadTypes})";
        return Expected is null
            ? $"{name} ({FoundText()})"
            : $"{name} ({FoundText()}, expected {SafetensorsHeader.ShapeText(Expected)})";
    }

    private string FoundText()
    {
        if (Found is null) return "missing";
        string type = Type is null ? "" : $" of {SafetensorsHeader.Shorten(Type)}";
        return $"found {SafetensorsHeader.ShapeText(Found)}{type}";
    }
}

/// <summary>Required tensors are missing or do not fit the network.</summary>
public sealed class MissingTensorsException : CheckpointException
{
    private const int Shown = 3;

    internal MissingTensorsException(string path, IReadOnlyList<TensorMismatch> mismatches, bool isUpscaler = false)
        : base(
            path,
            $"{path} {Describe(mismatches)}",
            isUpscaler ? "every tensor of the upscaler's network in its shape" : "every tensor of an SDXL network in its shape",
            isUpscaler
                ? "The file is incomplete or of another design: fetch it again, or take another upscaler."
                : "The file is incomplete or of another design: take the complete SDXL checkpoint.") =>
            Mismatches = mismatches;

    /// <summary>Every tensor that is missing or does not fit.</summary>
    public IReadOnlyList<TensorMismatch> Mismatches { get; }

    private static string Describe(IReadOnlyList<TensorMismatch> mismatches)
    {
        string tensors = mismatches.Count == 1 ? "tensor" : "tensors";
        string first = string.Join(", ", mismatches.Take(Shown));
        string rest = mismatches.Count > Shown ? $" and {mismatches.Count - Shown} more" : "";
        return $"lacks or misshapes {mismatches.Count} needed {tensors}: {first}{rest}";
    }
}
