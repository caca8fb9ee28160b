namespace MuseAtelier;

/// <summary>The part of a source that is painted anew (inpainting).</summary>
public sealed record InpaintMask
{
    /// <summary>Paints where a mask is white.</summary>
    /// <param name="image">The mask. One of another size than the source is scaled to it, and a notice says so.</param>
    public InpaintMask(MaskImage image) => Image = image;

    /// <summary>The mask: white is painted anew. Painting refuses a reference, and a mask without any white.</summary>
    public MaskImage Image { get; init; }

    /// <summary>
    /// The standard deviation in px by which the mask's edge is softened, 0 to 64 (AUTOMATIC1111, modules/processing.py, mask_blur).
    /// </summary>
    public int Blur { get; init; } = 4;

    /// <summary>What the painted part begins with.</summary>
    public MaskedContent Content { get; init; } = MaskedContent.Original;

    /// <summary>
    /// Paints only the surroundings of the mask, at the request's size, with so many px of the source around it, 0 to 1024; the result has
    /// the source's size. Null paints the whole source.
    /// </summary>
    public int? OnlyMaskedPadding { get; init; }

    /// <summary>
    /// Whether the source's own pixels replace what was decoded outside of the mask, so that every pixel that neither the mask nor its
    /// blur reaches is equal to the source's.
    /// </summary>
    public bool PasteBack { get; init; } = true;
}

/// <summary>What the masked part of a source begins with (AUTOMATIC1111, modules/processing.py, inpainting_fill).</summary>
public enum MaskedContent
{
    /// <summary>The source's own pixels.</summary>
    Original,

    /// <summary>The colours around the mask, blurred into it.</summary>
    Fill,

    /// <summary>Noise alone in latent space.</summary>
    Noise,

    /// <summary>Zeros in latent space.</summary>
    Nothing,
}
