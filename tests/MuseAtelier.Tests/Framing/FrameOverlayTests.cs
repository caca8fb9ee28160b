using MuseAtelier.Framing;

namespace MuseAtelier.Tests.Framing;

public sealed class FrameOverlayTests
{
    public static TheoryData<FrameStyle, FramePlacement, int, int> All
    {
        get
        {
            var data = new TheoryData<FrameStyle, FramePlacement, int, int>();
            foreach (FrameStyle style in Enum.GetValues<FrameStyle>())
                foreach (FramePlacement placement in Enum.GetValues<FramePlacement>())
                    foreach ((int width, int height) in new[] { (256, 256), (264, 328), (1000, 408), (256, 2048) })
                        data.Add(style, placement, width, height);
            return data;
        }
    }

    [Theory]
    [InlineData(1024, 1024, 64)]
    [InlineData(2048, 2048, 128)]
    [InlineData(2048, 1024, 64)]
    [InlineData(512, 2048, 32)]
    [InlineData(1000, 1000, 62)]
    [InlineData(256, 256, 16)]
    [InlineData(264, 2048, 16)]
    public void WidthAt_OfASize_FollowsTheSmallerSide(int width, int height, int expected) =>
        Assert.Equal(expected, PictureFrame.WidthAt(width, height));

    [Theory]
    [MemberData(nameof(All))]
    public void Paint_OfAnyFrame_CoversItsBandAndLeavesTheMiddle(FrameStyle style, FramePlacement placement, int width, int height)
    {
        FrameOverlay overlay = FrameOverlay.Paint(width, height, new PictureFrame(style, placement));
        int band = PictureFrame.WidthAt(width, height);
        int grown = placement == FramePlacement.Outside ? 2 * band : 0;
        int shadow = placement == FramePlacement.Outside ? 0 : band / 4;

        Assert.Equal((width + grown, height + grown), (overlay.Width, overlay.Height));
        Assert.Equal((overlay.Width * overlay.Height, overlay.Width * overlay.Height * 3), (overlay.Keep.Length, overlay.Colour.Length));
        for (int y = 0; y < overlay.Height; y++)
        {
            for (int x = 0; x < overlay.Width; x++)
            {
                int depth = Math.Min(Math.Min(x, overlay.Width - 1 - x), Math.Min(y, overlay.Height - 1 - y));
                int keep = overlay.Keep[y * overlay.Width + x];
                ReadOnlySpan<byte> colour = overlay.Colour.AsSpan((y * overlay.Width + x) * 3, 3);
                if (depth < band) Assert.Equal(0, keep);
                else if (depth >= band + shadow) Assert.Equal(255, keep);
                if (depth >= band) Assert.False(colour.ContainsAnyExcept((byte)0), $"colour beyond the frame at {x}, {y}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Paint_OfAnyFrame_PutsThePictureWhereItBelongs(FrameStyle style, FramePlacement placement, int width, int height)
    {
        FrameOverlay overlay = FrameOverlay.Paint(width, height, new PictureFrame(style, placement));
        int margin = (overlay.Width - width) / 2;

        Assert.Equal(Enumerable.Range(0, height).Select(row => (long)row), overlay.Rows[margin..(margin + height)]);
        Assert.Equal(Enumerable.Range(0, width).Select(column => (long)column), overlay.Columns[margin..(margin + width)]);
        Assert.All(overlay.Rows, row => Assert.InRange(row, 0, height - 1));
        Assert.All(overlay.Columns, column => Assert.InRange(column, 0, width - 1));
    }

    [Theory]
    [InlineData(FrameStyle.Gilded)]
    [InlineData(FrameStyle.Ebony)]
    [InlineData(FrameStyle.Celadon)]
    public void Paint_OnThePicture_LetsAShadowFallBelowAndRightOfTheLedge(FrameStyle style)
    {
        FrameOverlay overlay = FrameOverlay.Paint(512, 512, new PictureFrame(style));
        int first = PictureFrame.WidthAt(512, 512), last = 511 - first;
        byte Keep(int x, int y) => overlay.Keep[y * 512 + x];

        // Deepest at the ledge, gone within a quarter of its width; fainter where the ledge faces the light.
        Assert.InRange(Keep(256, first), 64, 160);
        for (int y = first; y < first + 8; y++) Assert.True(Keep(256, y) <= Keep(256, y + 1));
        Assert.Equal((Keep(256, first), Keep(256, last)), (Keep(first, 256), Keep(last, 256)));
        Assert.True(Keep(256, last) > Keep(256, first) && Keep(256, last) < 255);
    }

    [Theory]
    [InlineData(FrameStyle.Gilded)]
    [InlineData(FrameStyle.Ebony)]
    [InlineData(FrameStyle.Celadon)]
    public void Paint_UnderLightFromTheUpperLeft_ShowsFourDifferentSides(FrameStyle style)
    {
        FrameOverlay overlay = FrameOverlay.Paint(512, 512, new PictureFrame(style));
        double Lightness(Func<int, int, (int X, int Y)> at, int from, int to)
        {
            double sum = 0;
            for (int along = 64; along < 448; along++)
            {
                for (int depth = from; depth < to; depth++)
                {
                    (int x, int y) = at(along, depth);
                    for (int channel = 0; channel < 3; channel++) sum += overlay.Colour[(y * 512 + x) * 3 + channel];
                }
            }

            return sum / (384 * 3 * (to - from));
        }

        // The outermost slope faces outwards: lit above and at the left, unlit below and at the right; and the light comes more from above.
        double top = Lightness((along, depth) => (along, depth), 0, 4), left = Lightness((along, depth) => (depth, along), 0, 4);
        double bottom = Lightness((along, depth) => (along, 511 - depth), 0, 4);
        double right = Lightness((along, depth) => (511 - depth, along), 0, 4);
        Assert.True(top > left && left > right && right > bottom, $"top {top:F1}, left {left:F1}, right {right:F1}, bottom {bottom:F1}");
    }

    [Fact]
    public void Paint_Twice_IsTheSame()
    {
        var frame = new PictureFrame(FrameStyle.Gilded, FramePlacement.Outside);
        FrameOverlay first = FrameOverlay.Paint(328, 264, frame), second = FrameOverlay.Paint(328, 264, frame);

        Assert.Equal(first.Colour, second.Colour);
        Assert.Equal(first.Keep, second.Keep);
    }
}
