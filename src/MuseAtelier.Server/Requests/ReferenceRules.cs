namespace MuseAtelier.Server.Requests;

/// <summary>
/// The rules of requests whose sources and masks are references: jobs have no pixels until they are painted. What depends on the pixels
/// themselves, such as a mask without white, is refused when the job is painted.
/// </summary>
internal static class ReferenceRules
{
    private static readonly SourceImage Pixel = new(1, 1, new byte[3]);

    private static readonly MaskImage White = new(1, 1, new[] { byte.MaxValue });

    /// <summary>Checks a request as <see cref="PictureRequestException.ThrowIfUnpaintable"/> does.</summary>
    /// <exception cref="PictureRequestException">The request cannot be painted.</exception>
    public static void ThrowIfUnpaintable(PictureRequest request)
    {
        if (request.Source is { Image: not null } source) _ = SourceSizeException.ThrowIfTooLarge(source);
        PictureRequestException.ThrowIfUnpaintable(WithPixels(request));
    }

    /// <summary>The request with pixels in place of references, which checks and plans take for the real ones.</summary>
    public static PictureRequest WithPixels(PictureRequest request)
    {
        if (request.Source is not { Image: not null } source) return request;
        InpaintMask? mask = source.Mask is { Image: not null } known ? known with { Image = White } : source.Mask;
        return request with { Source = source with { Image = Pixel, Mask = mask } };
    }
}
