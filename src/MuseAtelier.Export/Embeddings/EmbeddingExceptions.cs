using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Embeddings;
using static System.FormattableString;

namespace MuseAtelier;

/// <summary>The file is no embedding for SDXL.</summary>
public sealed class EmbeddingKindException : CheckpointException
{
    internal EmbeddingKindException(string path, string kind, string? model = null)
        : base(
            path,
            $"{path} is {kind}",
            "an embedding for SDXL: the tensors clip_l and clip_g, with one row for each vector",
            model is null
                ? "Take an embedding that was trained for SDXL."
                : $"It was trained for {model}, whose text encoder has another width. Take the edition for SDXL if there is one.") =>
        Model = model;

    /// <summary>The model that the embedding was trained for, such as <c>SD 1.x</c>; null if that is not known.</summary>
    public string? Model { get; }
}

/// <summary>A tensor of an embedding has an impossible number of vectors, or vectors of another width than the text encoder.</summary>
public sealed class EmbeddingShapeException : CheckpointException
{
    internal EmbeddingShapeException(string path, string tensor, IReadOnlyList<long> shape, string expected)
        : base(
            path,
            $"the tensor {tensor} of the embedding {path} has shape {SafetensorsHeader.ShapeText(shape)}",
            expected,
            "Take an embedding that was trained for this model.")
    {
        Tensor = tensor;
        Shape = [.. shape];
    }

    /// <summary>The name of the tensor.</summary>
    public string Tensor { get; }

    /// <summary>Its dimensions.</summary>
    public IReadOnlyList<long> Shape { get; }

    internal static EmbeddingShapeException OfWidth(string path, string tensor, int count, int width, int expected) =>
        new(path, tensor, [count, width], Invariant($"vectors of {expected} numbers, the width of the model's text encoder"));
}

/// <summary>A vector of an embedding has a number that is not finite.</summary>
public sealed class EmbeddingValueException : CheckpointException
{
    internal EmbeddingValueException(string path, string tensor, int row, int column, float value)
        : base(
            path,
            Invariant($"the tensor {tensor} of the embedding {path} has {value} at [{row}, {column}]"),
            "finite numbers",
            "Its training failed, or the file is damaged: fetch it again, or take an earlier step of the training.") =>
        Tensor = tensor;

    /// <summary>The name of the tensor.</summary>
    public string Tensor { get; }
}

/// <summary>An embedding was written to while it was read.</summary>
public sealed class EmbeddingChangedException : CheckpointException
{
    internal EmbeddingChangedException(string path)
        : base(
            path,
            $"{path} was changed while it was read",
            "a file that stays as it is",
            "Wait until its download or copy is finished, then try again.")
    {
    }
}
