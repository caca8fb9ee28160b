namespace MuseAtelier.Framing;

/// <summary>How a style's tile is bent over a moulding and takes the light.</summary>
/// <param name="Profile">Heights of the tile's rows, from the outer edge to the picture, in rows.</param>
/// <param name="Relief">Height of the lightest place of a tile over the darkest, in rows.</param>
/// <param name="Ambient">Light from everywhere.</param>
/// <param name="Diffuse">Light from the upper left that the surface scatters.</param>
/// <param name="Gloss">Light from the upper left that it mirrors.</param>
/// <param name="Polish">How narrow highlights are: the cosine's exponent is 2 to this power.</param>
/// <param name="Metal">How much a highlight has the colour of its place rather than of the light, 0 to 1.</param>
/// <param name="Slip">sRGB of the narrow strip between moulding and picture, which takes the shadow where it may not fall on the picture.</param>
internal sealed record FrameMoulding(float[] Profile, float Relief, float Ambient, float Diffuse, float Gloss, int Polish, float Metal, (byte Red, byte Green, byte Blue) Slip)
{
    /// <summary>The moulding of a style.</summary>
    public static FrameMoulding Of(FrameStyle style) => style switch
    {
        FrameStyle.Gilded => new([1.5f, 3.2f, 3.8f, 3.4f, 2.6f, 2.0f, 1.6f, 1.4f, 1.3f, 1.3f, 1.4f, 1.6f, 1.7f, 1.2f, 1.4f, 1.0f], 2.0f, 0.36f, 0.78f, 0.8f, 4, 0.75f, (150, 112, 58)),
        FrameStyle.Ebony => new([0.8f, 2.0f, 2.7f, 3.0f, 3.1f, 3.1f, 3.0f, 2.8f, 2.5f, 2.1f, 1.6f, 1.1f, 0.7f, 0.9f, 1.2f, 0.7f], 3.0f, 0.42f, 0.8f, 0.34f, 5, 0.2f, (44, 35, 30)),
        FrameStyle.Celadon => new([0.8f, 2.2f, 2.8f, 2.6f, 2.0f, 2.0f, 2.2f, 2.3f, 2.3f, 2.3f, 2.2f, 2.0f, 1.8f, 1.4f, 1.4f, 0.8f], 1.5f, 0.36f, 0.78f, 0.6f, 5, 0.0f, (206, 216, 204)),
        _ => throw new ArgumentOutOfRangeException(nameof(style), style, null),
    };
}
