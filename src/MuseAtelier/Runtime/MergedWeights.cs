using System.Runtime.ExceptionServices;
using MuseAtelier.Format;

namespace MuseAtelier.Runtime;

/// <summary>
/// Weights of a component that LoRAs change, on a device that reads weights from mapped files: changed weights lie in one block of native
/// memory, which this object owns, the others in the mapping. Other LoRAs need another object, because addresses and types change.
/// </summary>
internal sealed class MergedWeights : StageWeights
{
    private const long Alignment = 256;

    private readonly ModelPackage _package;
    private readonly NativeBuffer _memory;
    private readonly Dictionary<WeightRange, nint> _offsets = [];

    /// <summary>Allocates the memory and computes the changed weights.</summary>
    /// <param name="package">The package; borrowed.</param>
    /// <param name="component">The component, of which at least one weight is changed.</param>
    /// <param name="loras">The changes.</param>
    /// <param name="device">Allocates the memory.</param>
    /// <param name="threads">The most threads that compute.</param>
    /// <param name="stopping">Stops between two weights.</param>
    public MergedWeights(
        ModelPackage package, ComponentSpec component, AppliedLoras loras, ExecutionDevice device, int threads,
        CancellationToken stopping)
    {
        _package = package;
        Loras = loras;
        Component = component;
        long end = 0;
        List<WeightSpec> changed = [];
        foreach (WeightSpec weight in component.Stages.SelectMany(stage => stage.Weights).Where(loras.Touches))
        {
            if (!_offsets.TryAdd(weight.Range, (nint)end)) continue;
            changed.Add(weight);
            end += (BytesOf(weight) + Alignment - 1) / Alignment * Alignment;
        }

        _memory = device.Allocate(Math.Max(1, end));
        try
        {
            Merge(changed, threads, stopping);
        }
        catch
        {
            _memory.Dispose();
            throw;
        }
    }

    private AppliedLoras Loras { get; }

    private ComponentSpec Component { get; }

    public override ElementType TypeOf(WeightSpec weight) => Loras.TypeOf(Component, weight);

    public override nint Address(int stage, WeightSpec weight) =>
        _offsets.TryGetValue(weight.Range, out nint offset) ? _memory.Address + offset : _package.MappedWeight(weight);

    public override void Dispose() => _memory.Dispose();

    private long BytesOf(WeightSpec weight) => checked(weight.Elements * TypeOf(weight).Size());

    private void Merge(List<WeightSpec> changed, int threads, CancellationToken stopping)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = stopping };
        try
        {
            Parallel.ForEach(changed, options, Merge);
        }
        catch (AggregateException exception)
        {
            // One thread's failure tells as much as those of all.
            ExceptionDispatchInfo.Throw(exception.InnerExceptions[0]);
        }
    }

    private unsafe void Merge(WeightSpec weight) =>
        Loras.Merge(
            Component, weight, new Span<byte>((void*)(_memory.Address + _offsets[weight.Range]), checked((int)BytesOf(weight))));
}
