namespace MuseAtelier.Server.Planning;

/// <summary>What painting a request is expected to take.</summary>
internal sealed record PlanJson
{
    /// <summary>The estimated seconds of all pictures, without the opening of the model; null if they cannot be painted.</summary>
    public double? Seconds { get; init; }

    /// <summary>The estimated seconds until the model is open; null if nothing is known.</summary>
    public double? SecondsToOpen { get; init; }

    /// <summary>Whether there is a plan within the budget.</summary>
    public required bool Fits { get; init; }

    /// <summary>The bytes that the plan takes at its peak; if none fits, the least bytes of any plan.</summary>
    public required long Needed { get; init; }

    /// <summary>The bytes of the budget.</summary>
    public required long Budget { get; init; }

    /// <summary>The bytes of weights and sessions among those at the peak.</summary>
    public required long Model { get; init; }

    /// <summary>The bytes of working memory among those at the peak.</summary>
    public required long Workspace { get; init; }

    /// <summary>Whether the budget makes the pictures much slower than more memory would.</summary>
    public required bool IsTight { get; init; }

    /// <summary>The largest size of nearly the same proportions that fits; null if the size itself fits, or none does.</summary>
    public PlanSize? Largest { get; init; }

    /// <summary>Why it does not fit; null if it does.</summary>
    public Problem? Problem { get; init; }
}

/// <summary>A size in px.</summary>
internal sealed record PlanSize(int Width, int Height);
