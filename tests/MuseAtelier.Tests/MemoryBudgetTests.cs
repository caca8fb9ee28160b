using MuseAtelier.Cpu;
using MuseAtelier.Cuda;

namespace MuseAtelier.Tests;

public sealed class MemoryBudgetTests
{
    private static readonly AtelierOptions OnProcessor = new() { Backend = CpuBackend.Create() };
    private static readonly AtelierOptions OnCard = new() { Backend = CudaBackend.Create() };

    [Theory]
    [InlineData("8GiB", 8L << 30, "8 GiB")]
    [InlineData("3.5 GiB", 7L << 29, "3.5 GiB")]
    [InlineData("1000", 1000, "1000 B")]
    [InlineData("0", 0, "0 B")]
    public void Parse_OfAnAmount_GivesItsBytesAndWritesItAgain(string text, long bytes, string written)
    {
        MemoryBudget budget = MemoryBudget.Parse(text);
        Assert.Equal((bytes, written), (budget.Bytes, budget.ToString()));
        Assert.Equal(budget, MemoryBudget.FromInt64(bytes));
        Assert.Equal(budget, new AtelierOptions { Backend = OnCard.Backend, DeviceMemory = bytes }.DeviceMemory);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1GiB")]
    [InlineData("much")]
    public void Parse_OfAnythingElse_IsRefused(string text) =>
        Assert.Equal(text, Assert.Throws<ByteSizeException>(() => MemoryBudget.Parse(text)).Text);

    [Theory]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    public void Budget_OfFewerThanZeroBytes_CannotBeConstructed(long bytes)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new MemoryBudget(bytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => MemoryBudget.FromInt64(bytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => OnProcessor with { HostMemory = bytes });
    }

    [Fact]
    public void DeclaredBudget_OfBoth_IsTheOneOfTheBackendsMemory()
    {
        AtelierOptions processor = OnProcessor with { DeviceMemory = 1, HostMemory = 2 };
        AtelierOptions card = OnCard with { DeviceMemory = 1, HostMemory = 2 };
        Assert.Equal((MemoryKind.Host, 2, 1), (processor.CountedMemory, processor.DeclaredBudget?.Bytes, processor.IgnoredBudget?.Bytes));
        Assert.Equal((MemoryKind.Device, 1, 2), (card.CountedMemory, card.DeclaredBudget?.Bytes, card.IgnoredBudget?.Bytes));
        Assert.Equal((2, 1), (processor.BudgetBytes(), card.BudgetBytes()));
    }

    [Fact]
    public void BudgetBytes_OfTheOtherMemoryAlone_AreTheDefault()
    {
        AtelierOptions card = OnCard with { HostMemory = 2 };
        Assert.Null(card.DeclaredBudget);
        Assert.Equal(ResidencyRequest.DefaultBudget, card.BudgetBytes());
        Assert.Equal(5L << 30, card.BudgetBytes(availableBytes: 5L << 30));

        AtelierOptions processor = OnProcessor with { DeviceMemory = 2 };
        Assert.Null(processor.DeclaredBudget);
        // The memory that is free changes from moment to moment, but no machine has as little as the budget of the card.
        Assert.InRange(processor.BudgetBytes(availableBytes: 1), 3, long.MaxValue);
    }
}
