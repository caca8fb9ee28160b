namespace MuseAtelier;

/// <summary>The existing picture that a picture is painted from: image to image, and with a mask inpainting.</summary>
public sealed record PictureSource
{
    /// <summary>Paints from an image.</summary>
    /// <param name="image">The image, of any size.</param>
    public PictureSource(SourceImage image) => Image = image;

    /// <summary>The image. Painting refuses a reference.</summary>
    public SourceImage Image { get; init; }

    /// <summary>How the image is brought to the request's size.</summary>
    public SourceFit Fit { get; init; }

    /// <summary>
    /// How much is painted anew, 0 to 1: the share of the noise levels that denoising runs through, from the last. 0 encodes and decodes
    /// the image; 1 leaves nothing of it, except where a mask keeps it. The number of steps follows from it by the rule of
    /// <see cref="PictureRequest.Dialect"/>.
    /// </summary>
    public float Strength { get; init; } = 0.6f;

    /// <summary>
    /// Extends the image before it is fitted (outpainting). The new margins are painted anew, in addition to what the mask says.
    /// </summary>
    public PictureMargins Extend { get; init; }

    /// <summary>The part that is painted anew; null means the whole picture.</summary>
    public InpaintMask? Mask { get; init; }
}

/// <summary>How an image is brought to a picture's size.</summary>
public enum SourceFit
{
    /// <summary>Scales it to cover the picture, and cuts off what is too wide or too high, evenly on both sides.</summary>
    Crop,

    /// <summary>Scales it to fit into the picture, and fills the rest, evenly on both sides, with the image's edges.</summary>
    Pad,

    /// <summary>Scales width and height independently.</summary>
    Stretch,
}

/// <summary>Margins in px, each from 0 to 2048.</summary>
/// <param name="Left">Columns on the left.</param>
/// <param name="Top">Rows on the top.</param>
/// <param name="Right">Columns on the right.</param>
/// <param name="Bottom">Rows on the bottom.</param>
public readonly record struct PictureMargins(int Left, int Top, int Right, int Bottom);
