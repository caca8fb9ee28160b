using MuseAtelier.Packages;

namespace MuseAtelier.Export.Networks;

/// <summary>The smallest part of a network that a stage can hold.</summary>
internal sealed record Unit(string Name, StageKind Kind, List<Operation> Operations);

/// <summary>A component as mathematics: what goes in, what comes out and the units between, in order.</summary>
internal sealed record Network(string Name, IReadOnlyList<Value> Inputs, IReadOnlyList<Value> Outputs, IReadOnlyList<Unit> Units)
{
    /// <summary>The type of values that have none of their own.</summary>
    public required ElementType Precision { get; init; }
}

/// <summary>A run of units of one kind, and what crosses its borders.</summary>
internal sealed record Stage(string Name, StageKind Kind, IReadOnlyList<Operation> Operations, IReadOnlyList<Value> Inputs, IReadOnlyList<Value> Outputs);

/// <summary>
/// Cuts a network into stages: a transformer block is one by itself, so that the window of device memory that blocks pass through can be small; all
/// convolutions between two of them are one.
/// </summary>
internal static class StagePartition
{
    public static IReadOnlyList<Stage> Cut(Network network)
    {
        List<List<Unit>> runs = [];
        foreach (Unit unit in network.Units)
        {
            List<Unit>? run = runs.LastOrDefault();
            if (run is not null && run[0].Kind == StageKind.Convolution && unit.Kind == StageKind.Convolution) run.Add(unit);
            else runs.Add([unit]);
        }

        var stages = new List<Stage>();
        for (int i = 0; i < runs.Count; i++)
        {
            List<Operation> operations = [.. runs[i].SelectMany(unit => unit.Operations)];
            HashSet<Value> made = [.. operations.SelectMany(operation => operation.Outputs)];
            HashSet<Value> wantedLater = [.. network.Outputs, .. runs.Skip(i + 1).SelectMany(run => run).SelectMany(unit => unit.Operations).SelectMany(operation => operation.Inputs)];
            List<Value> inputs = [.. operations.SelectMany(operation => operation.Inputs).Where(value => !made.Contains(value)).Distinct()];
            List<Value> outputs = [.. operations.SelectMany(operation => operation.Outputs).Where(wantedLater.Contains)];
            stages.Add(new Stage(runs[i][0].Name, runs[i][0].Kind, operations, inputs, outputs));
        }

        return stages;
    }
}
