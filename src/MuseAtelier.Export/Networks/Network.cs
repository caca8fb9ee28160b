using MuseAtelier.Packages;

namespace MuseAtelier.Export.Networks;

/// <summary>The smallest part of a network that a stage can hold.</summary>
internal sealed record Unit(string Name, StageKind Kind, List<Operation> Operations);

/// <summary>A component as mathematics: what goes in, what comes out and the units between, in order.</summary>
internal sealed record Network(string Name, IReadOnlyList<Value> Inputs, IReadOnlyList<Value> Outputs, IReadOnlyList<Unit> Units)
{
    /// <summary>The type of values that have none of their own, on devices that leave a choice.</summary>
    public ElementType Precision { get; init; } = ElementType.F16;
}

/// <summary>A run of units of one kind, and what crosses its borders.</summary>
internal sealed record Stage(string Name, StageKind Kind, IReadOnlyList<Operation> Operations, IReadOnlyList<Value> Inputs, IReadOnlyList<Value> Outputs);

/// <summary>
/// Cuts a network into stages, each small enough to pass through a window of device memory: a transformer block is one by itself, units of
/// convolutions are joined up to about the weights of the widest block.
/// </summary>
internal static class StagePartition
{
    /// <summary>Elements of kernels in one stage at most, where it can be cut: 64 MiB in fp16, a little more than SDXL's widest transformer block.</summary>
    public const long KernelElements = 32 << 20;

    public static IReadOnlyList<Stage> Cut(Network network)
    {
        List<List<Unit>> runs = [];
        foreach (Unit unit in network.Units)
        {
            List<Unit>? run = runs.LastOrDefault();
            if (run is not null && run[0].Kind == StageKind.Convolution && unit.Kind == StageKind.Convolution && Fits(run, unit)) run.Add(unit);
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

    // A run without kernels of its own, such as the sum behind a transformer, always goes with what follows: they are computed in one.
    private static bool Fits(List<Unit> run, Unit next)
    {
        long before = run.Sum(Elements);
        return before == 0 || before + Elements(next) <= KernelElements;
    }

    private static long Elements(Unit unit) => unit.Operations.OfType<Convolution>().Sum(convolution => convolution.Kernel.Elements);
}
