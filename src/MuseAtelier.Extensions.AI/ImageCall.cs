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

    /// <summary>Progress, priority and batch.</summary>
    public required GenerationOptions Generation { get; init; }

    /// <summary>The format of the files.</summary>
    public required PictureFormat Format { get; init; }

    /// <summary>The metadata and the quality of the files.</summary>
    public required PictureFileOptions File { get; init; }
}
