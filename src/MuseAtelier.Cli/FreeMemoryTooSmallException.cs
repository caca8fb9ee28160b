using MuseAtelier.Cpu;

namespace MuseAtelier.Cli;

/// <summary>A processor is to paint, no budget was given, and the memory that is free is too small for the picture.</summary>
internal sealed class FreeMemoryTooSmallException(BudgetTooSmallException inner, IReadOnlyList<MemoryBound> bounds) : MuseAtelierException(
    $"{ByteSize.Format(inner.Request.Budget)} of memory is free for muse{Describe(bounds)}",
    $"at least {ByteSize.FormatUp(inner.LeastBytes)} for {inner.Request.Width}x{inner.Request.Height} px",
    "Close other programs, raise the limit, or paint a smaller picture; --ram AMOUNT plans with another amount than what is free.",
    inner)
{
    private static string Describe(IReadOnlyList<MemoryBound> bounds) =>
        HostMemory.Tightest(bounds) is { } tightest ? $" ({tightest.Name}: {ByteSize.Format(tightest.FreeBytes)} free of {ByteSize.Format(tightest.LimitBytes)})" : "";
}
