using MuseAtelier.Checking;

namespace MuseAtelier.Tests.Checking;

public sealed class ColourHistogramTests
{
    [Fact]
    public void Difference_OfTheSamePixelsInAnotherOrder_IsNone() =>
        Assert.Equal(0, ColourHistogram.Difference([10, 20, 30, 200, 210, 220], [200, 210, 220, 10, 20, 30]));

    [Fact]
    public void Difference_OfNeighbouringLevels_IsNoneWithinABin()
    {
        Assert.Equal(0, ColourHistogram.Difference([4, 4, 4], [7, 7, 7]));
        Assert.Equal(1, ColourHistogram.Difference([7, 7, 7], [8, 8, 8]));
    }

    // One of two pixels moved, in one of three channels: half of that channel's share, a sixth of the mean.
    [Fact]
    public void Difference_OfOnePixelInOneChannel_IsItsShare() =>
        Assert.Equal(1.0 / 6, ColourHistogram.Difference([0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 255, 0]), 12);
}
