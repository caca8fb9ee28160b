using MuseAtelier.Cpu;

namespace MuseAtelier.Cli;

/// <summary>The processor paints, no budget was given, and the free memory is too small for the picture.</summary>
internal sealed class FreeMemoryTooSmallException(BudgetTooSmallException inner, IReadOnlyList<MemoryBound> bounds) : MuseAtelierException(
    $"{ByteSize.Format(inner.Request.Budget)} of memory is free for muse{Describe(bounds)}",
    $"at least {ByteSize.FormatUp(inner.LeastBytes)} for {inner.Request.Width}x{inner.Request.Height} px",
    "Close other programs, raise the limit, or paint a smaller picture; --ram AMOUNT sets the memory to plan with.",
    inner)
{
    private static string Describe(IReadOnlyList<MemoryBound> bounds)
    {
        if (HostMemory.Tightest(bounds) is not { } tightest) return "";
        return $" ({tightest.Name}: {ByteSize.Format(tightest.FreeBytes)} free of {ByteSize.Format(tightest.LimitBytes)})";
    }
}
