using MuseAtelier.Streaming;

namespace MuseAtelier.Tests.Residency;

public sealed class StreamingBufferLayoutTests
{
    private const long Page = 4096;

    [Fact]
    public void Offsets_OfStages_FollowEachOtherAndBeginAgain()
    {
        var layout = new StreamingBufferLayout([2 * Page, Page, 2 * Page, Page], 4 * Page);
        Assert.Equal([0, 2 * Page, 0, 2 * Page], layout.Offsets);
        Assert.Equal([2, 2, 2, 2], layout.Distances);
    }

    [Fact]
    public void Distances_OfSmallStagesBehindALargeOne_LeadToIt()
    {
        // 0 and 1 fill the buffer; 2 and 3 lie where 0 was; 4 where 1 was.
        var layout = new StreamingBufferLayout([2 * Page, 2 * Page, Page, Page, 2 * Page], 4 * Page);
        Assert.Equal([0, 2 * Page, 0, Page, 2 * Page], layout.Offsets);
        Assert.Equal([2, 2, 2, 3, 3], layout.Distances);
    }

    [Fact]
    public void Distances_OfStagesThatAllFit_AreAWholeRound() =>
        Assert.Equal([3, 3, 3], new StreamingBufferLayout([Page, Page, Page], 3 * Page).Distances);

    [Fact]
    public void LeastBytes_HoldsAnyStageAndTheNext()
    {
        Assert.Equal(5 * Page, StreamingBufferLayout.LeastBytes([Page, 2 * Page, 3 * Page - 1]));
        Assert.Equal(Page, StreamingBufferLayout.LeastBytes([17]));
        Assert.Equal(0, StreamingBufferLayout.LeastBytes([]));
    }

    [Fact]
    public void New_WithAStageLargerThanTheBuffer_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new StreamingBufferLayout([2 * Page], Page));

    [Fact]
    public void HasRoomFor_OfOtherStages_IsFalse()
    {
        var layout = new StreamingBufferLayout([2 * Page, Page], 4 * Page);
        Assert.True(layout.HasRoomFor([2 * Page, Page]));
        Assert.True(layout.HasRoomFor([2 * Page - 100, 1]));
        Assert.False(layout.HasRoomFor([2 * Page, Page + 1]));
        Assert.False(layout.HasRoomFor([2 * Page]));
        Assert.False(layout.HasRoomFor([2 * Page, Page, Page]));
    }
}
