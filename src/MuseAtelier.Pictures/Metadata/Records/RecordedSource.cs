using System.Text.Json;

namespace MuseAtelier.Pictures.Metadata;

/// <summary>An image as records hold it: by its digest, its size and the name of its file.</summary>
/// <param name="Sha256">The digest that <see cref="SourceImage.Sha256"/> or <see cref="MaskImage.Sha256"/> gives.</param>
/// <param name="Width">Width in px.</param>
/// <param name="Height">Height in px.</param>
internal sealed record RecordedImage(string Sha256, int Width, int Height)
{
    /// <summary>The name of the file without its folder; null if unknown.</summary>
    public string? Name { get; init; }

    /// <summary>The recorded form of a source.</summary>
    public static RecordedImage Of(SourceImage image) =>
        new(image.Sha256, image.Width, image.Height) { Name = RecordedFileName.Of(image.Name) };

    /// <summary>The recorded form of a mask.</summary>
    public static RecordedImage Of(MaskImage image) =>
        new(image.Sha256, image.Width, image.Height) { Name = RecordedFileName.Of(image.Name) };

    /// <summary>The name, if it is one that this class writes.</summary>
    /// <exception cref="JsonException">It is not.</exception>
    public string? LegalName() =>
        Name is null || RecordedFileName.IsName(Name) ? Name : throw new JsonException("the name of an image is no file name");
}

/// <summary>The source of a request as records hold it.</summary>
/// <param name="Image">The image.</param>
/// <param name="Fit">How it is brought to the picture's size.</param>
/// <param name="Strength">How much is painted anew.</param>
internal sealed record RecordedSource(RecordedImage Image, SourceFit Fit, float Strength)
{
    /// <summary>The margins by which the image is extended; null means none.</summary>
    public RecordedMargins? Extend { get; init; }

    /// <summary>The mask; null means none.</summary>
    public RecordedMask? Mask { get; init; }

    /// <summary>The recorded form of a request's source.</summary>
    public static RecordedSource? Of(PictureSource? source) => source is null
        ? null
        : new RecordedSource(RecordedImage.Of(source.Image), source.Fit, source.Strength)
        {
            Extend = RecordedMargins.Of(source.Extend),
            Mask = RecordedMask.Of(source.Mask),
        };

    /// <summary>The source of the request, with a reference as its image.</summary>
    /// <exception cref="JsonException">A name is none.</exception>
    /// <exception cref="ArgumentException">A digest or a size is out of range.</exception>
    public PictureSource ToSource() => new(SourceImage.Reference(Image.Width, Image.Height, Image.Sha256, Image.LegalName()))
    {
        Fit = Fit,
        Strength = Strength,
        Extend = Extend?.ToMargins() ?? default,
        Mask = Mask?.ToMask(),
    };
}

/// <summary>The margins of a source as records hold them, in px.</summary>
/// <param name="Left">Columns on the left.</param>
/// <param name="Top">Rows on the top.</param>
/// <param name="Right">Columns on the right.</param>
/// <param name="Bottom">Rows on the bottom.</param>
internal sealed record RecordedMargins(int Left, int Top, int Right, int Bottom)
{
    /// <summary>The recorded form of margins; null if there are none.</summary>
    public static RecordedMargins? Of(PictureMargins margins) =>
        margins == default ? null : new RecordedMargins(margins.Left, margins.Top, margins.Right, margins.Bottom);

    /// <summary>The margins that were recorded.</summary>
    public PictureMargins ToMargins() => new(Left, Top, Right, Bottom);
}

/// <summary>The mask of a source as records hold it.</summary>
/// <param name="Image">The mask.</param>
/// <param name="Blur">The standard deviation in px by which its edge is softened.</param>
/// <param name="Content">What the painted part begins with.</param>
/// <param name="PasteBack">Whether the source's own pixels replace what is outside of it.</param>
internal sealed record RecordedMask(RecordedImage Image, int Blur, MaskedContent Content, bool PasteBack)
{
    /// <summary>The px around the mask that are painted with it; null means the whole source.</summary>
    public int? OnlyMaskedPadding { get; init; }

    /// <summary>The recorded form of a source's mask.</summary>
    public static RecordedMask? Of(InpaintMask? mask) => mask is null
        ? null
        : new RecordedMask(RecordedImage.Of(mask.Image), mask.Blur, mask.Content, mask.PasteBack)
        {
            OnlyMaskedPadding = mask.OnlyMaskedPadding,
        };

    /// <summary>The mask of the source, with a reference as its image.</summary>
    /// <exception cref="JsonException">A name is none.</exception>
    /// <exception cref="ArgumentException">A digest or a size is out of range.</exception>
    public InpaintMask ToMask() => new(MaskImage.Reference(Image.Width, Image.Height, Image.Sha256, Image.LegalName()))
    {
        Blur = Blur,
        Content = Content,
        PasteBack = PasteBack,
        OnlyMaskedPadding = OnlyMaskedPadding,
    };
}
