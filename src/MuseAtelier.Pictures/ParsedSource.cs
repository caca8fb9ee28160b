namespace MuseAtelier.Pictures;

/// <summary>
/// How a picture was painted from another one, as a program's text says. No text holds the other picture: who has it gives it, and these
/// are its settings. What the text does not state is null.
/// </summary>
public sealed record ParsedSource
{
    internal ParsedSource() { }

    /// <summary>How much was painted anew.</summary>
    public float? Strength { get; init; }

    /// <summary>How the other picture was brought to the size.</summary>
    public SourceFit? Fit { get; init; }

    /// <summary>The margins by which it was extended.</summary>
    public PictureMargins? Extend { get; init; }

    /// <summary>The px by which the mask was softened.</summary>
    public int? MaskBlur { get; init; }

    /// <summary>What the masked part began with.</summary>
    public MaskedContent? MaskedContent { get; init; }

    /// <summary>The px around the mask, if only its surroundings were painted.</summary>
    public int? OnlyMaskedPadding { get; init; }

    /// <summary>Whether the pixels outside of the mask were put back.</summary>
    public bool? PasteBack { get; init; }

    /// <summary>The part of <see cref="ParsedParameters.NotTaken"/> that is taken over once the other picture is there.</summary>
    public IReadOnlyList<string> NotTaken { get; init; } = [];

    /// <summary>The source with these settings.</summary>
    /// <param name="image">The other picture.</param>
    /// <param name="mask">The mask; null if there was none.</param>
    /// <exception cref="ArgumentNullException">The picture is null.</exception>
    public PictureSource ToSource(SourceImage image, MaskImage? mask)
    {
        var source = new PictureSource(image);
        return source with
        {
            Strength = Strength ?? source.Strength,
            Fit = Fit ?? source.Fit,
            Extend = Extend ?? source.Extend,
            Mask = mask is null ? null : ToMask(new InpaintMask(mask)),
        };
    }

    private InpaintMask ToMask(InpaintMask mask) => mask with
    {
        Blur = MaskBlur ?? mask.Blur,
        Content = MaskedContent ?? mask.Content,
        OnlyMaskedPadding = OnlyMaskedPadding,
        PasteBack = PasteBack ?? mask.PasteBack,
    };
}
