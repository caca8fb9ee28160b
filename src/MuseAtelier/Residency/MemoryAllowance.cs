namespace MuseAtelier.Residency;

/// <summary>
/// The budget in force: the declared one, or less while other programs hold device memory. It falls as soon as a plan no longer fits into
/// the available memory. It rises again only when clearly more memory is available, because every change reloads weights.
/// </summary>
internal sealed class MemoryAllowance
{
    /// <summary>Bytes of available memory that no plan uses, because the driver and NVIDIA's libraries take memory late.</summary>
    public const long Reserve = 128L << 20;

    /// <summary>A lowered budget is a multiple of this, so that small changes of the free memory give the same plan.</summary>
    private const long Granularity = 64L << 20;

    /// <summary>After memory ran out, the budget rises only when this many bytes more are available.</summary>
    private const long Caution = 512L << 20;

    private bool _ranOut;

    /// <summary>An allowance of the whole declared budget.</summary>
    /// <param name="declared">The budget that was declared, in bytes.</param>
    public MemoryAllowance(long declared) => (Declared, Bytes) = (declared, declared);

    /// <summary>The budget that was declared, in bytes.</summary>
    public long Declared { get; }

    /// <summary>The budget in force, in bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Whether less than the declared budget is in force.</summary>
    public bool IsReduced => Bytes < Declared;

    /// <summary>Bytes that a plan may take: the free memory and the memory that the engine holds, less the reserve.</summary>
    /// <param name="freeBytes">Bytes that are free on the device; null where memory is not bounded by a device.</param>
    /// <param name="heldBytes">Bytes of the device that the engine holds.</param>
    public static long Available(long? freeBytes, long heldBytes) =>
        freeBytes is { } free ? Math.Max(0, free + heldBytes - Reserve) : long.MaxValue;

    /// <summary>Raises the budget if clearly more memory is available than it allows, at most to the declared budget.</summary>
    /// <param name="available">Bytes of <see cref="Available"/>.</param>
    /// <returns>Whether it changed.</returns>
    public bool Raise(long available)
    {
        if (!IsReduced) return false;
        long step = Math.Max(Bytes / 4, Caution) + (_ranOut ? Caution : 0);
        if (available < Math.Min(Declared + (_ranOut ? Caution : 0), Bytes + step)) return false;
        _ranOut = false;
        Bytes = available >= Declared ? Declared : available / Granularity * Granularity;
        return true;
    }

    /// <summary>Lowers the budget to the available memory.</summary>
    /// <param name="available">Bytes of <see cref="Available"/>.</param>
    /// <returns>Whether it changed.</returns>
    public bool Lower(long available)
    {
        long bytes = available / Granularity * Granularity;
        if (bytes >= Bytes) return false;
        Bytes = bytes;
        return true;
    }

    /// <summary>Lowers the budget after memory ran out. It then rises with more caution: see <see cref="Caution"/>.</summary>
    /// <param name="bytes">The budget that is in force from now on.</param>
    public void RanOut(long bytes)
    {
        Bytes = Math.Min(Bytes, bytes);
        _ranOut = true;
    }
}
