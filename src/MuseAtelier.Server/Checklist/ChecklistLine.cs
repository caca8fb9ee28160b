namespace MuseAtelier.Server.Checklist;

/// <summary>A line of the checklist, in English and as codes with arguments, by which a page says it in another language.</summary>
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

    /// <summary>The code of the finding, as docs/http-api.md lists them.</summary>
    public required string Code { get; init; }

    /// <summary>The code of the remedy; null if there is nothing to do.</summary>
    public string? RemedyCode { get; init; }

    /// <summary>The values that finding and remedy name: texts and numbers, memory in bytes.</summary>
    public IReadOnlyDictionary<string, object> Arguments { get; init; } = new Dictionary<string, object>();

    /// <summary>A line about which nothing is to be done.</summary>
    public static ChecklistLine Done(string key, string code, string finding) =>
        new() { Key = key, IsDone = true, Code = code, Finding = finding };

    /// <summary>The line with a remedy.</summary>
    /// <param name="code">The code of the remedy.</param>
    /// <param name="remedy">The remedy, a sentence.</param>
    public ChecklistLine Unless(string code, string remedy) => this with { IsDone = false, RemedyCode = code, Remedy = remedy };

    /// <summary>The line with another value.</summary>
    /// <param name="name">The name of the argument.</param>
    /// <param name="value">Its value; null leaves the line as it is.</param>
    public ChecklistLine With(string name, object? value) =>
        value is null ? this : this with { Arguments = new Dictionary<string, object>(Arguments) { [name] = value } };
}
