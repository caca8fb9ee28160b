using Microsoft.Extensions.AI;
using MuseAtelier.Pictures;

namespace MuseAtelier.Extensions.AI;

/// <summary>The media types of the pictures that a generator gives.</summary>
internal static class ImageMediaTypes
{
    private static readonly (PictureFormat Format, string Extension)[] Known =
    [
        (PictureFormat.Png, ".png"),
        (PictureFormat.Jpeg, ".jpg"),
        (PictureFormat.WebP, ".webp"),
    ];

    /// <summary>The format of a media type in any case.</summary>
    /// <exception cref="ImageOptionException">No format of this library has the media type.</exception>
    public static PictureFormat FormatOf(string mediaType)
    {
        foreach ((PictureFormat format, _) in Known)
            if (PictureFormats.MediaType(format).Equals(mediaType, StringComparison.OrdinalIgnoreCase)) return format;
        throw new ImageOptionException(
            nameof(ImageGenerationOptions.MediaType),
            PropertyText.Shorten(mediaType),
            $"one of {string.Join(", ", Known.Select(entry => PictureFormats.MediaType(entry.Format)))}",
            "Choose one of these, or leave it out for PNG.");
    }

    /// <summary>The extension of a format's files, with the dot.</summary>
    public static string ExtensionOf(PictureFormat format) => Array.Find(Known, entry => entry.Format == format).Extension;
}
