namespace MuseAtelier.Imaging;

/// <summary>A source and its mask at the size at which they are painted, and the way back to the source.</summary>
internal sealed record PreparedSource
{
    /// <summary>Width in px at which is painted: the request's.</summary>
    public required int Width { get; init; }

    /// <summary>Height in px at which is painted: the request's.</summary>
    public required int Height { get; init; }

    /// <summary>
    /// [Height, Width, 3] sRGB that is encoded. Unless the masked content is the original one, the masked part is filled with the colours
    /// around it, as AUTOMATIC1111 does before it replaces latents by noise or zeros.
    /// </summary>
    public required ReadOnlyMemory<byte> Pixels { get; init; }

    /// <summary>[Height, Width] softened mask, 255 where is painted; empty if the whole picture is.</summary>
    public ReadOnlyMemory<byte> Mask { get; init; }

    /// <summary>
    /// [Height/8, Width/8] fp32, the mask of the latents, 1 where is painted and 0 where is kept, by the dialect's rule; empty if the whole
    /// picture is painted.
    /// </summary>
    public ReadOnlyMemory<float> LatentMask { get; init; }

    /// <summary>Width of the result in px: the request's, or the source's if only the mask's surroundings are painted.</summary>
    public required int ResultWidth { get; init; }

    /// <summary>Height of the result in px.</summary>
    public required int ResultHeight { get; init; }

    /// <summary>
    /// [ResultHeight, ResultWidth, 3] sRGB that stays outside of <see cref="Region"/> and of <see cref="Overlay"/>; empty if nothing of the
    /// source stays as it is.
    /// </summary>
    public ReadOnlyMemory<byte> Original { get; init; }

    /// <summary>The part of the result that is painted; the whole one unless only the mask's surroundings are painted.</summary>
    public required PixelRectangle Region { get; init; }

    /// <summary>
    /// [Region.Height, Region.Width] opacity of what was painted over <see cref="Original"/>; empty if the whole region is replaced.
    /// </summary>
    public ReadOnlyMemory<byte> Overlay { get; init; }

    /// <summary>Sentences for the user, such as that the mask was scaled; those of the source and of the mask are among them.</summary>
    public IReadOnlyList<string> Notices { get; init; } = [];
}
