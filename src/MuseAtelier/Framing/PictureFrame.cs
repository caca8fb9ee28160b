namespace MuseAtelier;

/// <summary>A frame that is painted with the picture.</summary>
public sealed record PictureFrame
{
    /// <summary>Describes a frame.</summary>
    /// <param name="style">The material of the frame.</param>
    /// <param name="placement">Whether the frame covers the picture's border or lies around the picture.</param>
    public PictureFrame(FrameStyle style, FramePlacement placement = FramePlacement.Inside)
    {
        Style = style;
        Placement = placement;
    }

    /// <summary>The material of the frame.</summary>
    public FrameStyle Style { get; init; }

    /// <summary>Whether the frame covers the picture's border or lies around the picture.</summary>
    public FramePlacement Placement { get; init; }

    /// <summary>
    /// Width of the frame of a picture, in px: 64 for a smaller side of 1024, in proportion for others; even, at least 16.
    /// </summary>
    /// <param name="pictureWidth">Width of the picture in px.</param>
    /// <param name="pictureHeight">Height of the picture in px.</param>
    public static int WidthAt(int pictureWidth, int pictureHeight) =>
        Math.Max(16, (Math.Min(pictureWidth, pictureHeight) + 16) / 32 * 2);

    /// <summary>Size of a picture with this frame, in px: the picture's own size if the frame lies on the picture.</summary>
    /// <param name="pictureWidth">Width of the picture in px.</param>
    /// <param name="pictureHeight">Height of the picture in px.</param>
    public (int Width, int Height) CanvasOf(int pictureWidth, int pictureHeight)
    {
        int growth = Placement == FramePlacement.Outside ? 2 * WidthAt(pictureWidth, pictureHeight) : 0;
        return (pictureWidth + growth, pictureHeight + growth);
    }
}

/// <summary>The material of a frame.</summary>
public enum FrameStyle
{
    /// <summary>Carved wood, gilded over red bole: egg-and-dart in the hollow, pearls next to the picture (鎏金画框).</summary>
    Gilded,

    /// <summary>Polished ebony with a ripple and a gold fillet (乌木金线).</summary>
    Ebony,

    /// <summary>Porcelain carved with lotus petals under celadon glaze, which is darker where it is deeper (青瓷).</summary>
    Celadon,
}

/// <summary>The place of a frame.</summary>
public enum FramePlacement
{
    /// <summary>On the picture: the frame covers its border, and the size stays the same.</summary>
    Inside,

    /// <summary>Around the picture: the whole picture is visible, and the canvas grows by the frame's width on each side.</summary>
    Outside,
}
