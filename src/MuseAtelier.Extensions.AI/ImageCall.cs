using Microsoft.Extensions.AI;
using MuseAtelier.Pictures;

namespace MuseAtelier.Extensions.AI;

/// <summary>A call of an image generator in the terms of an atelier.</summary>
internal sealed record ImageCall
{
    /// <summary>The first picture; each following one has the next seed.</summary>
    public required PictureRequest Request { get; init; }

    /// <summary>The number of pictures.</summary>
    public required int Count { get; init; }

    /// <summary>The model that the caller names; null for none.</summary>
    public required string? ModelId { get; init; }

    /// <summary>Progress, priority and batch.</summary>
    public required GenerationOptions Generation { get; init; }

    /// <summary>The format of the files.</summary>
    public required PictureFormat Format { get; init; }

    /// <summary>The metadata and the quality of the files.</summary>
    public required PictureEncodingOptions Encoding { get; init; }

    /// <summary>Checks that a model is the one that the caller names.</summary>
    /// <exception cref="ImageOptionException">The caller names another model.</exception>
    public void CheckModel(ModelInfo model)
    {
        if (ModelId is null
            || ModelId.Equals(model.Name, StringComparison.OrdinalIgnoreCase)
            || ModelId.Equals(model.Sha256, StringComparison.OrdinalIgnoreCase)) return;
        throw new ImageOptionException(
            nameof(ImageGenerationOptions.ModelId),
            $"'{PropertyText.Shorten(ModelId)}'",
            $"{model.Name}, the model of the atelier, or its SHA-256",
            "Leave it out, or use the image generator of an atelier that opened that model.");
    }
}
