using MuseAtelier.Server.Requests;

namespace MuseAtelier.Server.Jobs;

/// <summary>A job at one moment. Never changes; the board has a new one after each change.</summary>
internal sealed record Job
{
    /// <summary>The id: 26 lower-case letters and digits, in the order of acceptance.</summary>
    public required string Id { get; init; }

    /// <summary>What was asked for.</summary>
    public required JobRequest Request { get; init; }

    /// <summary>The state.</summary>
    public required JobState State { get; init; }

    /// <summary>When it was accepted.</summary>
    public required DateTimeOffset Accepted { get; init; }

    /// <summary>When it began; null while it waits.</summary>
    public DateTimeOffset? Began { get; init; }

    /// <summary>When it ended; null before.</summary>
    public DateTimeOffset? Ended { get; init; }

    /// <summary>The ids of the finished pictures that the gallery keeps, in order.</summary>
    public IReadOnlyList<string> Pictures { get; init; } = [];

    /// <summary>Pictures that are finished.</summary>
    public int Finished { get; init; }

    /// <summary>Steps of the present picture or batch that are done.</summary>
    public int Step { get; init; }

    /// <summary>Steps of a picture.</summary>
    public int Steps { get; init; }

    /// <summary>Tiles of the present picture that an upscaler has enlarged between two passes.</summary>
    public int Tile { get; init; }

    /// <summary>Tiles that an upscaler enlarges between two passes; 0 without one.</summary>
    public int Tiles { get; init; }

    /// <summary>The phase, as the engine names it, or what the opening does.</summary>
    public string? Phase { get; init; }

    /// <summary>The seconds that are left for the whole job, as estimated; null if nothing is known yet.</summary>
    public double? SecondsLeft { get; init; }

    /// <summary>The number of the newest preview, from 1; 0 if there is none.</summary>
    public int Preview { get; init; }

    /// <summary>The place among those that wait, from 0; null if it does not wait.</summary>
    public int? Place { get; init; }

    /// <summary>Why it failed; null if it did not.</summary>
    public Problem? Problem { get; init; }

    /// <summary>The outcome of a verification; null before it has one.</summary>
    public JobVerification? Verification { get; init; }
}

/// <summary>The outcome of a verification.</summary>
internal sealed record JobVerification
{
    /// <summary>Whether the file is what painting again gives.</summary>
    public required bool Holds { get; init; }

    /// <summary>The outcome by the name that <see cref="Pictures.VerificationOutcome"/> has.</summary>
    public required string Outcome { get; init; }

    /// <summary>The step at which the latents differ; null if they are the same.</summary>
    public int? DivergesAtStep { get; init; }
}
