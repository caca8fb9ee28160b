namespace MuseAtelier;

/// <summary>A frame that is painted with the picture.</summary>
/// <param name="Style">What it is made of.</param>
/// <param name="Placement">Whether it covers the picture's border or lies around it.</param>
public sealed record PictureFrame(FrameStyle Style, FramePlacement Placement = FramePlacement.Inside)
{
    /// <summary>Width of the frame around a picture, in px: 64 at 1024, scaled by the smaller side, even, at least 16.</summary>
    /// <param name="pictureWidth">Width of the picture in px.</param>
    /// <param name="pictureHeight">Height of the picture in px.</param>
    public static int WidthAt(int pictureWidth, int pictureHeight) => Math.Max(16, (Math.Min(pictureWidth, pictureHeight) + 16) / 32 * 2);

    /// <summary>Size of a picture with this frame, in px: the picture's own where the frame is on it.</summary>
    /// <param name="pictureWidth">Width of the picture in px.</param>
    /// <param name="pictureHeight">Height of the picture in px.</param>
    public (int Width, int Height) CanvasOf(int pictureWidth, int pictureHeight)
    {
        int growth = Placement == FramePlacement.Outside ? 2 * WidthAt(pictureWidth, pictureHeight) : 0;
        return (pictureWidth + growth, pictureHeight + growth);
    }
}

/// <summary>What a frame is made of.</summary>
public enum FrameStyle
{
    /// <summary>Carved wood, gilded over red bole: eggs and darts in the hollow, pearls at the picture (鎏金画框).</summary>
    Gilded,

    /// <summary>Polished ebony with a ripple and a fillet of gold (乌木金线).</summary>
    Ebony,

    /// <summary>Porcelain carved with lotus petals under celadon glaze, which is darker where it lies deep (青瓷).</summary>
    Celadon,
}

/// <summary>Where a frame lies.</summary>
public enum FramePlacement
{
    /// <summary>On the picture, whose size it leaves: the border is covered.</summary>
    Inside,

    /// <summary>Around the picture, which is seen whole: the canvas grows by the frame's width on each side.</summary>
    Outside,
}
