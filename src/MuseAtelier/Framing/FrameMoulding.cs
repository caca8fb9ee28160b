namespace MuseAtelier.Framing;

/// <summary>The shape of a style's moulding, over which the tile is bent, and its surface.</summary>
internal sealed record FrameMoulding
{
    /// <summary>Heights of the tile's rows, from the outer edge to the picture; the unit is a row.</summary>
    public required float[] Profile { get; init; }

    /// <summary>Height of the lightest point of a tile above the darkest; the unit is a row.</summary>
    public required float Relief { get; init; }

    /// <summary>Strength of the light from all sides.</summary>
    public required float Ambient { get; init; }

    /// <summary>Strength of the scattered light, which comes from the upper left.</summary>
    public required float Diffuse { get; init; }

    /// <summary>Strength of the mirrored light, which comes from the upper left.</summary>
    public required float Gloss { get; init; }

    /// <summary>Narrowness of highlights: the exponent of the cosine is 2 to this power.</summary>
    public required int Polish { get; init; }

    /// <summary>The share of the surface's colour in a highlight, as against the light's colour; 0 to 1.</summary>
    public required float Metal { get; init; }

    /// <summary>
    /// sRGB of the narrow strip between moulding and picture. It takes the frame's shadow if the shadow must not fall on the picture.
    /// </summary>
    public required (byte Red, byte Green, byte Blue) Slip { get; init; }

    /// <summary>Gives the moulding of a style.</summary>
    public static FrameMoulding Of(FrameStyle style) => style switch
    {
        FrameStyle.Gilded => new FrameMoulding
        {
            Profile = [1.5f, 3.2f, 3.8f, 3.4f, 2.6f, 2.0f, 1.6f, 1.4f, 1.3f, 1.3f, 1.4f, 1.6f, 1.7f, 1.2f, 1.4f, 1.0f],
            Relief = 2.0f,
            Ambient = 0.36f,
            Diffuse = 0.78f,
            Gloss = 0.8f,
            Polish = 4,
            Metal = 0.75f,
            Slip = (150, 112, 58),
        },
        FrameStyle.Ebony => new FrameMoulding
        {
            Profile = [0.8f, 2.0f, 2.7f, 3.0f, 3.1f, 3.1f, 3.0f, 2.8f, 2.5f, 2.1f, 1.6f, 1.1f, 0.7f, 0.9f, 1.2f, 0.7f],
            Relief = 3.0f,
            Ambient = 0.42f,
            Diffuse = 0.8f,
            Gloss = 0.34f,
            Polish = 5,
            Metal = 0.2f,
            Slip = (44, 35, 30),
        },
        FrameStyle.Celadon => new FrameMoulding
        {
            Profile = [0.8f, 2.2f, 2.8f, 2.6f, 2.0f, 2.0f, 2.2f, 2.3f, 2.3f, 2.3f, 2.2f, 2.0f, 1.8f, 1.4f, 1.4f, 0.8f],
            Relief = 1.5f,
            Ambient = 0.36f,
            Diffuse = 0.78f,
            Gloss = 0.6f,
            Polish = 5,
            Metal = 0.0f,
            Slip = (206, 216, 204),
        },
        _ => throw new ArgumentOutOfRangeException(nameof(style), style, null),
    };
}
