using Microsoft.Extensions.AI;
using MuseAtelier.Pictures;

namespace MuseAtelier.Extensions.AI;

/// <summary>The media types of the pictures that a generator gives.</summary>
internal static class ImageMediaTypes
{
    private static readonly (string MediaType, string Extension, PictureFormat Format)[] Known =
    [
        ("image/png", ".png", PictureFormat.Png),
        ("image/jpeg", ".jpg", PictureFormat.Jpeg),
        ("image/webp", ".webp", PictureFormat.WebP),
    ];

    /// <summary>The format of a media type in any case.</summary>
    /// <exception cref="ImageOptionException">No format of this library has the media type.</exception>
    public static PictureFormat FormatOf(string mediaType)
    {
        foreach ((string known, _, PictureFormat format) in Known)
            if (known.Equals(mediaType, StringComparison.OrdinalIgnoreCase)) return format;
        throw new ImageOptionException(
            nameof(ImageGenerationOptions.MediaType),
            PropertyText.Shorten(mediaType),
            $"one of {string.Join(", ", Known.Select(entry => entry.MediaType))}",
            "Choose one of these, or leave it out for PNG.");
    }

    /// <summary>The media type of a format.</summary>
    public static string MediaTypeOf(PictureFormat format) => Array.Find(Known, entry => entry.Format == format).MediaType;

    /// <summary>The extension of a format's files, with the dot.</summary>
    public static string ExtensionOf(PictureFormat format) => Array.Find(Known, entry => entry.Format == format).Extension;
}
