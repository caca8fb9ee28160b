namespace MuseAtelier.Server.Checklist;

/// <summary>What the checklist is about.</summary>
internal sealed record ChecklistSubject
{
    /// <summary>The path of the model; null if there is none.</summary>
    public required string? Model { get; init; }

    /// <summary>Why there is no model; null if there is one.</summary>
    public string? ModelProblem { get; init; }

    /// <summary>The options with which it is opened.</summary>
    public required AtelierOptions Atelier { get; init; }

    /// <summary>The device.</summary>
    public required DeviceFinding Device { get; init; }

    /// <summary>The folder of the pictures.</summary>
    public required string Gallery { get; init; }

    /// <summary>The seconds that opening the model takes; null if nothing is known.</summary>
    public double? SecondsToOpen { get; init; }
}
