using MuseAtelier.Residency;

namespace MuseAtelier.Tests.Residency;

public sealed class MemoryAllowanceTests
{
    private const long MiB = 1 << 20, GiB = 1L << 30;

    [Fact]
    public void Available_CountsWhatIsFreeAndHeld_LessTheReserve()
    {
        Assert.Equal(5 * GiB - MemoryAllowance.Reserve, MemoryAllowance.Available(3 * GiB, 2 * GiB));
        Assert.Equal(0, MemoryAllowance.Available(0, 10 * MiB));
        Assert.Equal(long.MaxValue, MemoryAllowance.Available(null, GiB));
    }

    [Fact]
    public void Lower_ThenLittleMore_KeepsTheSameBudget()
    {
        var allowance = new MemoryAllowance(6 * GiB);
        Assert.True(allowance.Lower(4 * GiB + 10 * MiB));
        Assert.Equal(4 * GiB, allowance.Bytes);
        Assert.True(allowance.IsReduced);
        Assert.False(allowance.Lower(4 * GiB + 63 * MiB));
        Assert.False(allowance.Raise(4 * GiB + 600 * MiB));
        Assert.Equal(4 * GiB, allowance.Bytes);
    }

    [Fact]
    public void Raise_WhereEnoughIsFreeAgain_RisesToTheDeclaredBudgetAtMost()
    {
        var allowance = new MemoryAllowance(6 * GiB);
        allowance.Lower(2 * GiB);
        Assert.True(allowance.Raise(3 * GiB));
        Assert.Equal(3 * GiB, allowance.Bytes);
        Assert.True(allowance.Raise(60 * GiB));
        Assert.Equal((6 * GiB, false), (allowance.Bytes, allowance.IsReduced));
        Assert.False(allowance.Raise(80 * GiB));
    }

    [Fact]
    public void RanOut_IsRaisedOnlyWithMoreThanFailed()
    {
        var allowance = new MemoryAllowance(6 * GiB);
        allowance.RanOut(4 * GiB + 512 * MiB);
        // The estimate that was wrong once says so again.
        Assert.False(allowance.Raise(6 * GiB));
        Assert.True(allowance.Raise(6 * GiB + 512 * MiB));
        Assert.Equal(6 * GiB, allowance.Bytes);
    }
}
