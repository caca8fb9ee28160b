using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// The resident weights of all components of an engine, by their ranges of bytes in the package. Components that name equal ranges share
/// one copy of them. Must be used on the engine's thread.
/// </summary>
/// <param name="allocate">Allocates device memory of a size in bytes.</param>
internal sealed class WeightStore(Func<long, NativeBuffer> allocate)
{
    private readonly Dictionary<WeightRange, WeightBlock> _blocks = [];

    /// <summary>
    /// Holds device memory for stages and gives each its address. Weights that are in no block yet get one new block in all.
    /// </summary>
    /// <param name="stages">The stages; each has weights.</param>
    /// <returns>The blocks in which the weights lie. The caller passes them to <see cref="Release"/> once.</returns>
    /// <exception cref="DeviceMemoryException">The device's memory is used up.</exception>
    public IReadOnlyList<WeightBlock> Hold(IReadOnlyList<StageMemory> stages)
    {
        StageMemory[] missing = [.. stages.Where(stage => !_blocks.ContainsKey(stage.Range)).DistinctBy(stage => stage.Range)];
        if (missing.Length > 0)
        {
            var block = new WeightBlock(missing, allocate(WeightSlab.Bytes(missing)));
            foreach (StageMemory stage in missing) _blocks[stage.Range] = block;
        }

        foreach (StageMemory stage in stages) stage.Device = _blocks[stage.Range].Address(stage.Range);
        List<WeightBlock> held = [.. stages.Select(stage => _blocks[stage.Range]).Distinct()];
        foreach (WeightBlock block in held) block.Holders++;
        return held;
    }

    /// <summary>Releases blocks. A block is freed when its last holder releases it; its load must have ended by then.</summary>
    public void Release(IReadOnlyList<WeightBlock> held)
    {
        foreach (WeightBlock block in held)
        {
            if (--block.Holders > 0) continue;
            foreach (WeightRange range in block.Ranges) _blocks.Remove(range);
            block.Dispose();
        }
    }
}

/// <summary>
/// The weights of several stages in one block of device memory, which is filled once, and again where other LoRAs change it.
/// </summary>
internal sealed class WeightBlock : IDisposable
{
    private readonly NativeBuffer _memory;
    private readonly StageMemory[] _stages;
    private readonly Dictionary<WeightRange, nint> _addresses;
    private AppliedLoras? _loras;
    private Task? _load;

    /// <param name="stages">The stages; no two have the same range.</param>
    /// <param name="memory">The device memory; owned by the block.</param>
    public WeightBlock(StageMemory[] stages, NativeBuffer memory)
    {
        (_stages, _memory) = (stages, memory);
        WeightSlab.Place(stages, memory.Address);
        _addresses = stages.ToDictionary(stage => stage.Range, stage => stage.Device);
    }

    /// <summary>Number of holders.</summary>
    public int Holders { get; set; }

    /// <summary>The ranges of which the block holds copies.</summary>
    public IEnumerable<WeightRange> Ranges => _addresses.Keys;

    /// <summary>Device address of a range.</summary>
    public nint Address(WeightRange range) => _addresses[range];

    /// <summary>
    /// Begins to load the weights, unless another holder has begun or they are loaded. They are loaded again if their last load failed, or
    /// if other LoRAs were put in force while no holder asked for it.
    /// </summary>
    /// <param name="reader">Loads the weights.</param>
    /// <param name="loras">The LoRAs in force; null if there are none.</param>
    /// <returns>A task that ends when the load is complete.</returns>
    public Task Load(WeightReader reader, AppliedLoras? loras)
    {
        bool isKnown = _load is not null && !_load.IsFaulted && _loras == loras;
        return isKnown ? _load! : Begin(reader, _stages, loras, isKept: null, CancellationToken.None);
    }

    /// <summary>Begins to replace the weights that other LoRAs change, unless another holder has begun.</summary>
    /// <param name="reader">Loads the weights.</param>
    /// <param name="next">The LoRAs of the next run; null if there are none.</param>
    /// <param name="stopping">Fails the load before its next piece.</param>
    /// <returns>A task that ends when the load is complete.</returns>
    public Task Switch(WeightReader reader, AppliedLoras? next, CancellationToken stopping)
    {
        // After a failure it is not known which weights are those of which LoRAs.
        if (_load is null || _load.IsFaulted) return Begin(reader, _stages, next, isKept: null, stopping);
        if (_loras == next) return _load;
        AppliedLoras? former = _loras;
        IEnumerable<StageMemory> changed = _stages.Where(stage => stage.IsChangedBy(former) || stage.IsChangedBy(next));
        return Begin(reader, changed, next, AppliedLoras.LeftAlone(former, next), stopping);
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    private Task Begin(
        WeightReader reader,
        IEnumerable<StageMemory> stages,
        AppliedLoras? loras,
        Func<WeightSpec, bool>? isKept,
        CancellationToken stopping)
    {
        // If the load cannot begin, the next one loads everything.
        _load = null;
        _loras = loras;
        return _load = reader.ToDevice(stages, loras, isKept, stopping);
    }
}
