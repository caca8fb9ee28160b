using MuseAtelier.Runtime;

namespace MuseAtelier.Sampling;

/// <summary>
/// Keys and values of every set of prompts, in host memory, if the prompts change between steps. One set is in the device's memory, where
/// the UNet's bindings and its captured step find it; another one is copied there before the first evaluation that needs it.
/// </summary>
/// <param name="context">The component whose block holds the keys and values; borrowed.</param>
/// <param name="device">The device; borrowed.</param>
internal sealed class PromptSetStore(ComponentRunner context, ExecutionDevice device) : IDisposable
{
    private readonly List<NativeBuffer> _sets = [];
    private int _active;

    /// <summary>
    /// Takes memory for a number of sets, and frees that of others. A single set stays in the device's memory and takes none.
    /// </summary>
    public void Resize(int sets)
    {
        Limit(sets);
        while (sets > 1 && _sets.Count < sets) _sets.Add(device.AllocateHost(context.Bytes));
        _active = 0;
    }

    /// <summary>Frees the memory of more than a number of sets, and that of a single one.</summary>
    public void Limit(int sets)
    {
        while (_sets.Count > (sets > 1 ? sets : 0))
        {
            _sets[^1].Dispose();
            _sets.RemoveAt(_sets.Count - 1);
        }
    }

    /// <summary>Keeps the set that was just computed in the device's memory.</summary>
    /// <param name="set">Its index.</param>
    public void Keep(int set)
    {
        _active = set;
        if (_sets.Count > 0) device.Download(context.Block, _sets[set].Address, context.Bytes);
    }

    /// <summary>Starts to copy a set to the device's memory, unless it is there; allocates nothing managed.</summary>
    /// <param name="set">Its index.</param>
    public void Activate(int set)
    {
        if (set == _active) return;
        device.Upload(_sets[set].Address, context.Block, context.Bytes);
        _active = set;
    }

    /// <inheritdoc/>
    public void Dispose() => Limit(0);
}
