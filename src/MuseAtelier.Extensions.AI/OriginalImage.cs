using System.Runtime.InteropServices;
using Microsoft.Extensions.AI;
using MuseAtelier.Pictures;

namespace MuseAtelier.Extensions.AI;

/// <summary>Reads the picture that a call wants to be edited, and its mask.</summary>
internal static class OriginalImage
{
    private const string Transparency = "transparency";

    /// <summary>The source of a call.</summary>
    /// <param name="request">The call.</param>
    /// <param name="properties">The additional properties of the call.</param>
    /// <param name="given">The source of the request that the options give; null for none.</param>
    /// <param name="cancellationToken">Stops before the pixels are decoded.</param>
    /// <returns>The source; null if the call paints from text alone.</returns>
    /// <exception cref="ImageEditException">There are several original images, or one without its bytes.</exception>
    /// <exception cref="ImageOptionException">A property cannot be used.</exception>
    /// <exception cref="PictureFileException">The image or the mask cannot be decoded.</exception>
    public static async Task<PictureSource?> ReadAsync(
        ImageGenerationRequest request, PropertyReader properties, PictureSource? given, CancellationToken cancellationToken)
    {
        AIContent[] images = [.. request.OriginalImages ?? []];
        if (images.Length == 0 && given is null) return null;
        if (images.Length > 1) throw ImageEditException.Several(images.Length);
        SourceImage image = images.Length == 0 ? given!.Image : await LoadAsync(images[0], cancellationToken).ConfigureAwait(false);
        PictureSource source = (given ?? new PictureSource(image)) with { Image = image };
        return source with
        {
            Strength = properties.Number(MuseImageKeys.Strength) ?? source.Strength,
            Fit = properties.Choice<SourceFit>(MuseImageKeys.Fit) ?? source.Fit,
            Mask = await MaskAsync(properties, source, cancellationToken).ConfigureAwait(false),
        };
    }

    /// <summary>A size of about an image's proportions and the area of another size, in multiples of 8 px.</summary>
    /// <param name="image">The image.</param>
    /// <param name="width">Width of the other size in px.</param>
    /// <param name="height">Height of the other size in px.</param>
    public static (int Width, int Height) SizeOf(SourceImage image, int width, int height)
    {
        const int multiple = 8, least = 256, most = 2048;
        double scale = Math.Sqrt((double)width * height / ((double)image.Width * image.Height));
        return (Side(image.Width), Side(image.Height));

        int Side(int side) => Math.Clamp((int)Math.Round(side * scale / multiple) * multiple, least, most);
    }

    private static async Task<InpaintMask?> MaskAsync(
        PropertyReader properties, PictureSource source, CancellationToken cancellationToken)
    {
        int? blur = properties.Integer(MuseImageKeys.MaskBlur, 0, 64);
        object? value = properties.Value(MuseImageKeys.Mask);
        InpaintMask? mask = value switch
        {
            null => source.Mask,
            DataContent data => new InpaintMask(await LoadMaskAsync(data, cancellationToken).ConfigureAwait(false)),
            _ when PropertyText.Of(value) == Transparency && !source.Image.Alpha.IsEmpty =>
                new InpaintMask(MaskImage.OfTransparency(source.Image)),
            _ => throw new ImageOptionException(
                MuseImageKeys.Mask,
                PropertyText.Describe(value),
                $"a DataContent with a picture, or '{Transparency}' for an original image with transparent parts",
                "Change it, or leave the key out."),
        };
        return mask is null ? null : mask with { Blur = blur ?? mask.Blur };
    }

    private static async Task<SourceImage> LoadAsync(AIContent content, CancellationToken cancellationToken)
    {
        DataContent data = content as DataContent ?? throw ImageEditException.WithoutBytes(content);
        using MemoryStream stream = StreamOf(data);
        return await SourceFile.LoadAsync(stream, new SourceFileOptions { Name = data.Name }, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<MaskImage> LoadMaskAsync(DataContent data, CancellationToken cancellationToken)
    {
        using MemoryStream stream = StreamOf(data);
        return await SourceFile.LoadMaskAsync(stream, new SourceFileOptions { Name = data.Name }, cancellationToken).ConfigureAwait(false);
    }

    private static MemoryStream StreamOf(DataContent data) => MemoryMarshal.TryGetArray(data.Data, out ArraySegment<byte> array)
        ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
        : new MemoryStream(data.Data.ToArray(), writable: false);
}
