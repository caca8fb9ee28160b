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

/// <summary>Cuts a network into stages.</summary>
internal static class StagePartition
{
    /// <summary>Units of transformer blocks in one stage at most: two of SDXL's widest are 121 MB in fp16.</summary>
    public const int TransformerUnits = 2;

    public static IReadOnlyList<Stage> Cut(Network network)
    {
        List<List<Unit>> runs = [];
        foreach (Unit unit in network.Units)
        {
            List<Unit>? run = runs.LastOrDefault();
            bool joins = run is not null && run[0].Kind == unit.Kind && (unit.Kind == StageKind.Convolution || (run.Count < TransformerUnits && SameParent(run[^1], unit)));
            if (joins) run!.Add(unit);
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

    // Blocks of two different transformers are never one stage: stages of equal shape then come out equal and share a graph.
    private static bool SameParent(Unit first, Unit second) => Parent(first.Name) == Parent(second.Name);

    private static string Parent(string name) => name[..name.LastIndexOf('.')];
}
