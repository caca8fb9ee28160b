namespace MuseAtelier.Sampling;

/// <summary>
/// Assigns the normal numbers of a tree's nodes to slots, in the order of the draws. Numbers stay in their slot until another node of a
/// later draw needs it, so that the nodes near the root are drawn once.
/// </summary>
internal sealed class BrownianSlots
{
    private readonly Dictionary<(ulong Key, int? Depth), int> _slots = [];
    private readonly List<Use> _uses = [];
    private readonly List<BrownianFill> _fills = [];
    private int _draw = -1;

    /// <summary>The number of slots: the most that a draw needs at once.</summary>
    public int Count => _uses.Count;

    /// <summary>Begins the next draw. The slots of the draws before may be used again.</summary>
    public void Begin() => _draw++;

    /// <summary>The slot of a node's numbers for the current draw.</summary>
    /// <param name="key">The node's index among the nodes of its depth.</param>
    /// <param name="depth">The node's depth; null for the increment over the root.</param>
    public int Of(ulong key, int? depth)
    {
        if (!_slots.TryGetValue((key, depth), out int slot))
        {
            slot = Free();
            _slots.Add((key, depth), slot);
            _fills.Add(new BrownianFill(slot, key, depth));
        }

        _uses[slot] = new Use(key, depth, _draw);
        return slot;
    }

    /// <summary>The numbers of the current draw that no slot held; forgets them.</summary>
    public BrownianFill[] TakeFills()
    {
        BrownianFill[] fills = [.. _fills];
        _fills.Clear();
        return fills;
    }

    // The slot that was used the longest ago and not by the current draw, or a further one.
    private int Free()
    {
        int oldest = -1;
        for (int slot = 0; slot < _uses.Count; slot++)
        {
            bool isOlder = oldest < 0 || _uses[slot].Draw < _uses[oldest].Draw;
            if (_uses[slot].Draw < _draw && isOlder) oldest = slot;
        }

        if (oldest < 0)
        {
            _uses.Add(default);
            return _uses.Count - 1;
        }

        _ = _slots.Remove((_uses[oldest].Key, _uses[oldest].Depth));
        return oldest;
    }

    /// <summary>The last use of a slot.</summary>
    private readonly record struct Use(ulong Key, int? Depth, int Draw);
}
