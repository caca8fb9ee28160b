namespace MuseAtelier.Server;

/// <summary>A failure as clients see it. It never holds a stack trace, or a path outside the gallery and the models.</summary>
internal sealed record Problem
{
    /// <summary>The kind, a name for programs: "prompt-too-long", "queue-full", "budget-too-small" and so on.</summary>
    public required string Kind { get; init; }

    /// <summary>One or two sentences: what was found, what is expected, what to do.</summary>
    public required string Message { get; init; }

    /// <summary>The field of the request that is at fault; null if none is.</summary>
    public string? Field { get; init; }
}
