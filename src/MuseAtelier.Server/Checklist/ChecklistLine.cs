namespace MuseAtelier.Server.Checklist;

/// <summary>A line of the checklist.</summary>
internal sealed record ChecklistLine
{
    /// <summary>What it is about: model, precision, sanctum, device, speed or gallery.</summary>
    public required string Key { get; init; }

    /// <summary>Whether it is as it should be.</summary>
    public required bool IsDone { get; init; }

    /// <summary>What was found, a sentence.</summary>
    public required string Finding { get; init; }

    /// <summary>What to do; null if there is nothing to do.</summary>
    public string? Remedy { get; init; }

    /// <summary>A line about which nothing is to be done.</summary>
    public static ChecklistLine Done(string key, string finding) => new() { Key = key, IsDone = true, Finding = finding };

    /// <summary>A line with a remedy.</summary>
    public static ChecklistLine ToDo(string key, string finding, string remedy) =>
        new() { Key = key, IsDone = false, Finding = finding, Remedy = remedy };
}
