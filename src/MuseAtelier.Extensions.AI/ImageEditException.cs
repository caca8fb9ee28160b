using System.Globalization;
using Microsoft.Extensions.AI;

namespace MuseAtelier.Extensions.AI;

/// <summary>Original images of a call that cannot be edited.</summary>
public sealed class ImageEditException : MuseAtelierException
{
    private ImageEditException(string found, string expected, string remedy)
        : base(found, expected, remedy)
    {
    }

    internal static ImageEditException Several(int count) => new(
        string.Create(CultureInfo.InvariantCulture, $"the request has {count} original images"),
        "one: a picture is painted from one other",
        "Edit them one by one.");

    internal static ImageEditException WithoutBytes(AIContent content) => new(
        $"the original image is a {content.GetType().Name}",
        $"a {nameof(DataContent)} with the bytes of a PNG, JPEG or WebP file",
        "Read the file, and give its bytes; nothing is fetched from addresses.");
}
