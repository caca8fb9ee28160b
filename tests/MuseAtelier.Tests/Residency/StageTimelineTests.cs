using MuseAtelier.Residency;
using MuseAtelier.Streaming;

namespace MuseAtelier.Tests.Residency;

public sealed class StageTimelineTests
{
    // Every copy fills half of the window.
    private static readonly StreamingBufferLayout TwoHalves = new([1, 1], 8192);
    private static readonly StreamingBufferLayout ThreeHalves = new([4096, 4096, 4096], 8192);
    private static readonly StreamingBufferLayout FourHalves = new([4096, 4096, 4096, 4096], 8192);

    [Fact]
    public void Seconds_WithoutCopies_IsTheWork() =>
        Assert.Equal(12, StageTimeline.Seconds([1, 2, 3], [0, 0, 0], new StreamingBufferLayout([], 0), rounds: 2));

    [Fact]
    public void Seconds_OfStagesThatStayInTheWindow_AddTheirFirstCopiesAlone() =>
        Assert.Equal(1 + 3 * 8, StageTimeline.Seconds([4, 4], [1, 1], TwoHalves, rounds: 3));

    [Fact]
    public void Seconds_OfCopiesLongerThanWork_AreTheCopies() =>
        Assert.Equal(10 * 4 * 3 + 1, StageTimeline.Seconds([1, 1, 1, 1], [3, 3, 3, 3], FourHalves, rounds: 10), 1e-9);

    [Fact]
    public void Seconds_OfAThirdCopyInARow_WaitsForItsPlace()
    {
        // Copies end at 1 and 2; the third may begin only when the first stage has run, at 11, and is there at 12, before the second has.
        Assert.Equal(1 + 10 + 10 + 10, StageTimeline.Seconds([10, 10, 10], [1, 1, 1], ThreeHalves, rounds: 1));

        // A long work before two streamed stages hides their copies; that of a third waits for the first of them.
        Assert.Equal(20 + 1 + 5 + 1, StageTimeline.Seconds([20, 1, 0, 1], [0, 5, 5, 5], ThreeHalves, rounds: 1));
    }

    [Fact]
    public void Seconds_OfManyRounds_AreWhatPlayingEachThroughGives()
    {
        double[] work = [3, 1, 0.5, 2, 4, 1], copies = [0, 2, 1.5, 0.25, 0, 3];
        long[] sizes = [8192, 4096, 4096, 12288];
        var window = new StreamingBufferLayout(sizes, StreamingBufferLayout.LeastBytes(sizes));
        double ten = StageTimeline.Seconds(work, copies, window, 10), eleven = StageTimeline.Seconds(work, copies, window, 11);
        Assert.Equal(StageTimeline.Seconds(work, copies, window, 40), ten + 30 * (eleven - ten), 1e-9);
    }
}
