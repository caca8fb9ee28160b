using MuseAtelier.Pictures;
using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Requests;

/// <summary>What a client asks for. The seed is drawn before the job is accepted, so that a restart paints the same pictures.</summary>
internal sealed record JobRequest
{
    /// <summary>The first picture; each following one has the next seed. For a verification, the picture's recorded request.</summary>
    public required PictureRequest Picture { get; init; }

    /// <summary>
    /// The uploads that the picture is painted from. The request itself has only the digests of source and mask, so that jobs that wait
    /// hold no pixels.
    /// </summary>
    public SourceUploads Uploads { get; init; }

    /// <summary>
    /// A digest of the embeddings that the prompts name, so that a job that waited over a restart paints the same or fails; null if they
    /// name none.
    /// </summary>
    public string? Embeddings { get; init; }

    /// <summary>The number of pictures, from 1.</summary>
    public int Count { get; init; } = 1;

    /// <summary>The model's id on the shelf; null means the model that is open when the job begins.</summary>
    public string? Model { get; init; }

    /// <summary>The id of the picture that is to be verified; null for a job that paints.</summary>
    public string? Verifies { get; init; }

    /// <summary>Whether the pictures are kept in the gallery.</summary>
    public bool IsKept { get; init; } = true;

    /// <summary>The format of the files.</summary>
    public PictureFormat Format { get; init; } = PictureFormat.Png;

    /// <summary>Quality of JPEG and WebP, 1 to 100; null means the format's default.</summary>
    public int? Quality { get; init; }

    /// <summary>The API that the request came by: "page", "a1111" or "openai".</summary>
    public string Origin { get; init; } = "page";
}
