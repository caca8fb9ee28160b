using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Painting;

public sealed class PackageCacheTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task OpenAsync_CancelledInItsFirstExport_LeavesNoCacheThatWasNotThere()
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var reports = new Reports<LoadProgress>(_ => cancellation.Cancel());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Atelier.OpenAsync(TestAtelier.Checkpoint, TestAtelier.Options with { CacheFolder = _folder["a/cache"] }, reports, cancellation.Token));
        Assert.Contains(reports.All, report => report.Fraction > 0);
        Assert.Empty(Directory.GetFileSystemEntries(_folder[""]));
    }

    [Fact]
    public void Plan_OfACheckpoint_ExportsNothingAndPlansAsItsPackage()
    {
        AtelierOptions options = TestAtelier.Options with { CacheFolder = _folder["cache"], MemoryBudget = 2L << 30 };
        ResidencyPlan before = Atelier.Plan(TestAtelier.Checkpoint, options, TestAtelier.Small), exported = Atelier.Plan(TestAtelier.Checkpoint, options with { CacheFolder = TestAtelier.Options.CacheFolder }, TestAtelier.Small);
        Assert.Empty(Directory.GetFileSystemEntries(_folder[""]));
        Assert.Equal((exported.PeakBytes, exported.Offload), (before.PeakBytes, before.Offload));
        Assert.Throws<BudgetTooSmallException>(() => Atelier.Plan(TestAtelier.Checkpoint, options with { MemoryBudget = 100 << 20 }, TestAtelier.Small));
    }
}
