namespace MuseAtelier.Server;

/// <summary>The limits of the server. A request beyond one of them is refused with the limit in the message.</summary>
internal sealed record ServerLimits
{
    /// <summary>Characters of a prompt, and of a negative prompt.</summary>
    public int PromptCharacters { get; init; } = 16_384;

    /// <summary>Pixels of a picture, after its second pass as well.</summary>
    public int Pixels { get; init; } = 4096 * 4096;

    /// <summary>Pictures of a job.</summary>
    public int Count { get; init; } = 64;

    /// <summary>Jobs that wait at the same time, over all models and clients.</summary>
    public int WaitingJobs { get; init; } = 256;

    /// <summary>Bytes of a body that is not an upload.</summary>
    public int BodyBytes { get; init; } = 256 * 1024;

    /// <summary>Bytes of an uploaded picture.</summary>
    public int UploadBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>Pixels of a picture that others are painted from.</summary>
    public int SourcePixels { get; init; } = 64_000_000;

    /// <summary>Pictures that are kept to paint others from.</summary>
    public int Uploads { get; init; } = 4096;

    /// <summary>Bytes of all these pictures.</summary>
    public long UploadedBytes { get; init; } = 2L << 30;

    /// <summary>How long such a picture is kept after its last use, if no job needs it.</summary>
    public TimeSpan UploadAge { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Connections to the stream of events at the same time.</summary>
    public int EventStreams { get; init; } = 64;
}
