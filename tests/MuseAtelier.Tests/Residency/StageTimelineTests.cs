using MuseAtelier.Residency;

namespace MuseAtelier.Tests.Residency;

public sealed class StageTimelineTests
{
    [Fact]
    public void Seconds_WithoutCopies_IsTheWork() => Assert.Equal(12, StageTimeline.Seconds([1, 2, 3], [0, 0, 0], rounds: 2));

    [Fact]
    public void Seconds_OfCopiesThatFitBehindWork_AddOnlyTheFirst() => Assert.Equal(1 + 3 * 8, StageTimeline.Seconds([4, 4], [1, 0], rounds: 3));

    [Fact]
    public void Seconds_OfCopiesLongerThanWork_AreTheCopies() => Assert.Equal(10 * 4 * 3 + 1, StageTimeline.Seconds([1, 1, 1, 1], [3, 3, 3, 3], rounds: 10));

    [Fact]
    public void Seconds_OfAThirdCopyInARow_WaitsForItsSlot()
    {
        // Copies end at 1 and 2; the third may begin only when the first stage has run, at 11, and is there at 12, before the second has.
        Assert.Equal(1 + 10 + 10 + 10, StageTimeline.Seconds([10, 10, 10], [1, 1, 1], rounds: 1));

        // A long work before two streamed stages hides their copies; that of a third waits for the first of them.
        Assert.Equal(20 + 1 + 5 + 1, StageTimeline.Seconds([20, 1, 0, 1], [0, 5, 5, 5], rounds: 1));
    }
}
