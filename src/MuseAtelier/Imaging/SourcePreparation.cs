using static System.FormattableString;

namespace MuseAtelier.Imaging;

/// <summary>
/// Brings a source and its mask to the size at which they are painted (AUTOMATIC1111, modules/processing.py,
/// StableDiffusionProcessingImg2Img.init): extension, blur of the mask, region, fit, fill, mask of the latents. The same source gives the
/// same bytes.
/// </summary>
internal sealed class SourcePreparation
{
    private const int Channels = 3;

    // Masks are not scaled by Lanczos, which would leave faint rings around what is masked.
    private const ResampleFilter MaskFilter = ResampleFilter.Bilinear;

    // The settings where only the margins are masked. Its image is not used.
    private static readonly InpaintMask MarginsAlone = new(new MaskImage(1, 1, new[] { byte.MaxValue }));

    private readonly PictureSource _source;
    private readonly SamplingDialect _dialect;
    private readonly (int Width, int Height) _painted;

    // The size of the source with its margins.
    private readonly (int Width, int Height) _size;
    private readonly List<string> _notices;

    private SourcePreparation(PictureSource source, (int Width, int Height) painted, SamplingDialect dialect)
    {
        _source = source;
        _dialect = dialect;
        _painted = painted;
        _size = SourceSizeException.ThrowIfTooLarge(source);
        _notices = [.. source.Image.Notices];
    }

    private bool IsExtended => _source.Extend != default;

    /// <summary>Prepares a source.</summary>
    /// <param name="source">The source.</param>
    /// <param name="width">Width of the request in px, a multiple of 8.</param>
    /// <param name="height">Height of the request in px, a multiple of 8.</param>
    /// <param name="dialect">The program whose rules are followed where programs differ.</param>
    /// <exception cref="SourceMissingException">The source or the mask has no pixels.</exception>
    /// <exception cref="SourceSizeException">The source is too large with its margins.</exception>
    /// <exception cref="MaskEmptyException">The mask has no white.</exception>
    public static PreparedSource Prepare(PictureSource source, int width, int height, SamplingDialect dialect)
    {
        if (!source.Image.HasPixels) throw new SourceMissingException("source", source.Image.Sha256, source.Image.Name);
        if (source.Mask is { Image: { HasPixels: false } mask }) throw new SourceMissingException("mask", mask.Sha256, mask.Name);
        MaskEmptyException.ThrowIfEmpty(source, dialect);
        var preparation = new SourcePreparation(source, (width, height), dialect);
        return source.Mask is null && !preparation.IsExtended ? preparation.WithoutMask() : preparation.WithMask();
    }

    private PreparedSource WithoutMask()
    {
        ReadOnlyMemory<byte> pixels = Opaque(_source.Image);
        return Whole(Fit(pixels.Span, _source.Fit));
    }

    private PreparedSource WithMask()
    {
        SourceImage image = _source.Image;
        InpaintMask settings = _source.Mask ?? MarginsAlone;
        byte[] mask = GaussianBlur.Apply(MaskOfSource(), _size.Width, _size.Height, settings.Blur);
        ReadOnlyMemory<byte> pixels = !IsExtended ? image.Pixels
            : SourceExtension.Extend(image.Pixels.Span, Channels, image.Width, image.Height, _source.Extend);
        return settings.OnlyMaskedPadding is { } padding ? OfRegion(settings, pixels, mask, padding) : OfWhole(settings, pixels, mask);
    }

    private PreparedSource OfWhole(InpaintMask settings, ReadOnlyMemory<byte> pixels, byte[] mask)
    {
        byte[] fitted = Fit(pixels.Span, _source.Fit);
        byte[] fittedMask = SourceFitting.Fit(mask, 1, _size, _painted, _source.Fit, MaskFilter);
        return Whole(Begin(settings, fitted, fittedMask)) with
        {
            Mask = fittedMask,
            LatentMask = LatentMask(fittedMask),
            Original = settings.PasteBack ? fitted : default(ReadOnlyMemory<byte>),
            Overlay = settings.PasteBack ? Doubled(fittedMask) : default(ReadOnlyMemory<byte>),
        };
    }

    private PreparedSource OfRegion(InpaintMask settings, ReadOnlyMemory<byte> pixels, byte[] mask, int padding)
    {
        PixelRectangle region = MaskRegion.Of(mask, _size, padding, _painted);
        (int Width, int Height) size = (region.Width, region.Height);
        byte[] part = region.Crop(pixels.Span, Channels, _size.Width);
        byte[] partMask = region.Crop(mask, 1, _size.Width);
        byte[] fitted = SourceFitting.Fit(part, Channels, size, _painted, SourceFit.Pad, ResampleFilter.Lanczos);
        byte[] fittedMask = SourceFitting.Fit(partMask, 1, size, _painted, SourceFit.Pad, MaskFilter);
        return Whole(Begin(settings, fitted, fittedMask)) with
        {
            Mask = fittedMask,
            LatentMask = LatentMask(fittedMask),
            ResultWidth = _size.Width,
            ResultHeight = _size.Height,
            Original = pixels,
            Region = region,
            Overlay = settings.PasteBack ? partMask : default(ReadOnlyMemory<byte>),
        };
    }

    // A source of which all is painted, at the size of the request.
    private PreparedSource Whole(byte[] pixels) => new()
    {
        Width = _painted.Width,
        Height = _painted.Height,
        Pixels = pixels,
        ResultWidth = _painted.Width,
        ResultHeight = _painted.Height,
        Region = new PixelRectangle(0, 0, _painted.Width, _painted.Height),
        Notices = _notices,
    };

    private byte[] Fit(ReadOnlySpan<byte> pixels, SourceFit fit) =>
        SourceFitting.Fit(pixels, Channels, _size, _painted, fit, ResampleFilter.Lanczos);

    private byte[] Begin(InpaintMask settings, byte[] fitted, byte[] mask) =>
        settings.Content == MaskedContent.Original ? fitted : MaskedFill.Fill(fitted, mask, _painted.Width, _painted.Height);

    private float[] LatentMask(byte[] mask)
    {
        float[] latents = LatentMasks.Of(mask, _painted.Width, _painted.Height, _dialect);
        if (latents.AsSpan().IndexOfAnyExcept(0f) < 0)
            _notices.Add("the mask is too small or too faint for any latent, or was cut off, so that nothing is painted anew: "
                + "paint only the masked region, or enlarge the mask");
        return latents;
    }

    // The mask at the source's size, with the margins.
    private byte[] MaskOfSource()
    {
        SourceImage image = _source.Image;
        if (_source.Mask is not { Image: { } mask })
            return SourceExtension.ExtendMask([], image.Width, image.Height, _source.Extend);
        _notices.AddRange(mask.Notices);
        (int Width, int Height) size = (image.Width, image.Height);
        if ((mask.Width, mask.Height) != size)
            _notices.Add(Invariant(
                $"the mask of {mask.Width}x{mask.Height} px is scaled to the {size.Width}x{size.Height} px of the source"));
        byte[] scaled = SourceFitting.Fit(mask.Pixels.Span, 1, (mask.Width, mask.Height), size, SourceFit.Stretch, MaskFilter);
        return IsExtended ? SourceExtension.ExtendMask(scaled, size.Width, size.Height, _source.Extend) : scaled;
    }

    // AUTOMATIC1111 lays transparent sources on white (modules/images.py, flatten); diffusers and ComfyUI drop the opacity.
    private ReadOnlyMemory<byte> Opaque(SourceImage image)
    {
        if (image.Alpha.IsEmpty) return image.Pixels;
        bool isFlattened = _dialect == SamplingDialect.A1111;
        _notices.Add(isFlattened ? "the source's transparent parts are laid on white"
            : "the source's transparent parts have the colours that its file stores for them");
        if (!isFlattened) return image.Pixels;
        byte[] pixels = image.Pixels.ToArray();
        ReadOnlySpan<byte> alpha = image.Alpha.Span;
        for (int at = 0; at < pixels.Length; at++)
        {
            int opacity = alpha[at / Channels];
            pixels[at] = (byte)((pixels[at] * opacity + byte.MaxValue * (byte.MaxValue - opacity) + byte.MaxValue / 2) / byte.MaxValue);
        }

        return pixels;
    }

    // Latents count as masked from half on, so that what is pasted is opaque from there on.
    private static byte[] Doubled(byte[] mask) => Array.ConvertAll(mask, value => (byte)Math.Min(2 * value, byte.MaxValue));
}
