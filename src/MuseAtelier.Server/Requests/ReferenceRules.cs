using MuseAtelier.Server.Uploads;

namespace MuseAtelier.Server.Requests;

/// <summary>
/// The rules of requests whose sources and masks are references: jobs have no pixels until they are painted. Of a mask, its lightest value
/// is known, so that one without white is refused at once.
/// </summary>
internal static class ReferenceRules
{
    private static readonly SourceImage Pixel = new(1, 1, new byte[3]);

    /// <summary>Checks a request as <see cref="PictureRequestException.ThrowIfUnpaintable"/> does.</summary>
    /// <param name="request">The request.</param>
    /// <param name="uploads">The pictures that it is painted from.</param>
    /// <exception cref="PictureRequestException">The request cannot be painted.</exception>
    public static void ThrowIfUnpaintable(PictureRequest request, SourceUploads uploads)
    {
        if (request.Source is { Image: not null } source) _ = SourceSizeException.ThrowIfTooLarge(source);
        PictureRequestException.ThrowIfUnpaintable(WithPixels(request, uploads.MaskLightest ?? byte.MaxValue));
    }

    /// <summary>The request with pixels in place of references, which checks and plans take for the real ones.</summary>
    /// <param name="request">The request.</param>
    /// <param name="lightest">The lightest value of its mask.</param>
    public static PictureRequest WithPixels(PictureRequest request, byte lightest = byte.MaxValue)
    {
        if (request.Source is not { Image: not null } source) return request;
        InpaintMask? mask = source.Mask is { Image: not null } known ? known with { Image = OnePixel(lightest) } : source.Mask;
        return request with { Source = source with { Image = Pixel, Mask = mask } };

        static MaskImage OnePixel(byte value) => new(1, 1, new[] { value });
    }
}
