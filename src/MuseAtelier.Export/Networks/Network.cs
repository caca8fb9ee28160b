using MuseAtelier.Format;

namespace MuseAtelier.Export.Networks;

/// <summary>The smallest part of a network that a stage can hold.</summary>
internal sealed record Unit(string Name, StageKind Kind, List<Operation> Operations);

/// <summary>The mathematical description of a component: its inputs, its outputs and the units between them, in order.</summary>
internal sealed record Network(string Name, IReadOnlyList<Value> Inputs, IReadOnlyList<Value> Outputs, IReadOnlyList<Unit> Units)
{
    /// <summary>The element type of values that have no type of their own.</summary>
    public required ElementType Precision { get; init; }
}

/// <summary>
/// Consecutive units of one kind, with the values that they read from other stages and the values that they make for them.
/// </summary>
internal sealed record Stage(
    string Name, StageKind Kind, IReadOnlyList<Operation> Operations, IReadOnlyList<Value> Inputs, IReadOnlyList<Value> Outputs);

/// <summary>
/// Cuts a network into stages. Each transformer block is a stage of its own, so that the streaming buffer in device memory can be small.
/// All convolutions between two transformer blocks form one stage.
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
            IEnumerable<Operation> later = runs.Skip(i + 1).SelectMany(run => run).SelectMany(unit => unit.Operations);
            stages.Add(Create(runs[i][0], operations, [.. network.Outputs, .. later.SelectMany(operation => operation.Inputs)]));
        }

        return stages;
    }

    private static Stage Create(Unit first, List<Operation> operations, HashSet<Value> usedLater)
    {
        HashSet<Value> made = [.. operations.SelectMany(operation => operation.Outputs)];
        IEnumerable<Value> read = operations.SelectMany(operation => operation.Inputs);
        List<Value> inputs = [.. read.Where(value => !made.Contains(value)).Distinct()];
        List<Value> outputs = [.. operations.SelectMany(operation => operation.Outputs).Where(usedLater.Contains)];
        return new Stage(first.Name, first.Kind, operations, inputs, outputs);
    }
}
