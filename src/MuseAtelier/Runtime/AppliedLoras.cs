using System.Diagnostics;
using MuseAtelier.Export.Loras;
using MuseAtelier.Format;
using MuseAtelier.Recipe;

namespace MuseAtelier.Runtime;

/// <summary>
/// The LoRAs in force, as the sessions and the weights of a package see them: which stages they change, the type in which a stage reads a
/// changed weight, and the changed values. A merged weight is W + sum of strength * change in fp32, computed from the package's bytes and
/// rounded to the weight's type, so that it is the same wherever the weight lies. Thread-safe.
/// </summary>
/// <param name="package">The package; borrowed.</param>
/// <param name="set">The changes.</param>
internal sealed class AppliedLoras(ModelPackage package, LoraSet set)
{
    private static long _count;

    // Sessions whose constants are changed are not those of another set.
    private readonly long _number = Interlocked.Increment(ref _count);
    private readonly Lazy<int> _changedWeights = new(() => package.Manifest.Components.SelectMany(component => component.Stages)
        .SelectMany(stage => stage.Weights.Concat(stage.Constants)).Where(set.Touches).DistinctBy(weight => weight.Range).Count());

    private long _merges;
    private long _mergeTicks;

    /// <summary>The number of the package's weights that are changed.</summary>
    public int ChangedWeights => _changedWeights.Value;

    /// <summary>
    /// The type in which a stage reads a merged weight. Graphs for processors cast stored weights to fp32 before they compute in fp32, so
    /// a merged weight stays fp32 there. Other weights keep their type.
    /// </summary>
    /// <param name="lowering">The package's kind of device.</param>
    /// <param name="precisions">The arithmetic of the package's parts.</param>
    /// <param name="component">Name of the component.</param>
    /// <param name="weight">The weight.</param>
    public static ElementType TypeOf(Lowering lowering, Precisions precisions, string component, WeightSpec weight)
    {
        bool isWidened = lowering == Lowering.Portable && PipelineRecipe.Of(component).PrecisionIn(precisions) == Precision.Fp32;
        return isWidened ? ElementType.F32 : weight.Type;
    }

    /// <summary>The key of a stage's session: stages with equal keys share one.</summary>
    /// <param name="loras">The LoRAs in force; null if there are none.</param>
    /// <param name="component">The component.</param>
    /// <param name="stage">The stage.</param>
    public static string KeyOf(AppliedLoras? loras, ComponentSpec component, StageSpec stage)
    {
        if (loras is null) return stage.Graph;
        if (loras.ChangesConstants(stage)) return FormattableString.Invariant($"{stage.Graph} with LoRAs {loras._number}");
        List<string> widened = loras.WidenedWeights(component, stage);
        return widened.Count == 0 ? stage.Graph : $"{stage.Graph} with fp32 {string.Join(' ', widened)}";
    }

    /// <summary>A function that tells whether a weight stays as it is when other LoRAs are put in force.</summary>
    /// <param name="former">The LoRAs that were in force; null if there were none.</param>
    /// <param name="next">The LoRAs that are put in force; null if there are none.</param>
    public static Func<WeightSpec, bool> LeftAlone(AppliedLoras? former, AppliedLoras? next) =>
        weight => former?.Touches(weight) != true && next?.Touches(weight) != true;

    /// <summary>Whether a weight is changed.</summary>
    public bool Touches(WeightSpec weight) => set.Touches(weight);

    /// <summary>Whether weights that a stage takes as inputs are changed.</summary>
    public bool ChangesWeights(StageSpec stage) => stage.Weights.Any(set.Touches);

    /// <summary>Whether constants of a stage are changed.</summary>
    public bool ChangesConstants(StageSpec stage) => stage.Constants.Any(set.Touches);

    /// <summary>Whether any weight or constant of a component is changed.</summary>
    public bool Changes(ComponentSpec component) => component.Stages.Any(stage => ChangesWeights(stage) || ChangesConstants(stage));

    /// <summary>The type in which a stage reads a weight.</summary>
    public ElementType TypeOf(ComponentSpec component, WeightSpec weight) =>
        Touches(weight) ? TypeOf(package.Manifest.Lowering, package.Manifest.PartPrecisions, component.Name, weight) : weight.Type;

    /// <summary>
    /// The changes of a weight as products that a device can add by itself, with the same result; null if it cannot. Reads no factors.
    /// </summary>
    /// <param name="weight">A weight that is changed.</param>
    public LoraProducts? ProductsOf(WeightSpec weight) => set.ProductsOf(weight);

    /// <summary>Changes the bytes of a weight in place.</summary>
    /// <param name="weight">A weight that is changed.</param>
    /// <param name="address">Address of its bytes in the package's type.</param>
    public unsafe void Merge(WeightSpec weight, nint address)
    {
        long begin = Stopwatch.GetTimestamp();
        set.Merge(weight, new Span<byte>((void*)address, checked((int)weight.Bytes)));
        CountMerge(begin);
    }

    /// <summary>Computes a changed weight from the package's mapped file.</summary>
    /// <param name="component">The component.</param>
    /// <param name="weight">A weight that is changed.</param>
    /// <param name="merged">Receives its values in the type of <see cref="TypeOf(ComponentSpec, WeightSpec)"/>.</param>
    public unsafe void Merge(ComponentSpec component, WeightSpec weight, Span<byte> merged)
    {
        long begin = Stopwatch.GetTimestamp();
        var stored = new ReadOnlySpan<byte>((void*)package.MappedWeight(weight), checked((int)weight.Bytes));
        if (TypeOf(component, weight) == weight.Type)
        {
            stored.CopyTo(merged);
            set.Merge(weight, merged);
        }
        else
        {
            set.Merge(weight, stored, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(merged));
        }

        CountMerge(begin);
    }

    /// <summary>
    /// The number of weights that were merged since the last call, and the time of all threads that merged them. Weights that are merged
    /// anew in every run count each time.
    /// </summary>
    public (long Weights, TimeSpan Time) TakeMerges() =>
        (Interlocked.Exchange(ref _merges, 0), Stopwatch.GetElapsedTime(0, Interlocked.Exchange(ref _mergeTicks, 0)));

    /// <summary>
    /// The model of a stage, rewritten for its changed weights: changed constants are part of it, changed inputs have the type in which
    /// they are read. Null if the package's own file serves the stage.
    /// </summary>
    public byte[]? ModelOf(ComponentSpec component, StageSpec stage)
    {
        bool isRewritten = ChangesConstants(stage) || WidenedWeights(component, stage).Count > 0;
        return isRewritten ? MergedGraph.Of(package.Graph(stage), component, stage, this) : null;
    }

    /// <summary>Counts a weight that was merged, in memory or by a device.</summary>
    /// <param name="begin">Timestamp of the beginning.</param>
    public void CountMerge(long begin)
    {
        Interlocked.Increment(ref _merges);
        Interlocked.Add(ref _mergeTicks, Stopwatch.GetTimestamp() - begin);
    }

    private List<string> WidenedWeights(ComponentSpec component, StageSpec stage) =>
        [.. stage.Weights.Where(weight => TypeOf(component, weight) != weight.Type).Select(weight => weight.Graph)];
}
