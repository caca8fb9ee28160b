using System.Globalization;
using System.Text;
using MuseAtelier.Format;
using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Files;

namespace MuseAtelier.Server.Gallery;

/// <summary>The names of files in the gallery, and the ids by which URLs name them.</summary>
internal static class GalleryNames
{
    /// <summary>Characters of the longest file name that is an id by itself.</summary>
    public const int LongestName = 180;

    private const string StudyEnd = "study.jpg";
    private const int DigestDigits = 32;
    private const int JobIdLength = 26;
    private const int DateLength = 8;
    private const int TimeLength = 6;

    /// <summary>Whether a file name can be an id as it is: ASCII letters, digits, '-', '_' and '.', and a file on every system.</summary>
    public static bool IsSafe(string name) =>
        name.Length is > 0 and <= LongestName
        && name[0] != '.'
        && name[^1] != '.'
        && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.')
        && WindowsNames.Refusal(name) is null;

    /// <summary>The id of a file: its name if that is safe, else one derived from the name by its digest.</summary>
    public static string IdOf(string name)
    {
        if (IsSafe(name)) return name;
        string extension = FormatOf(name) is { } format ? ExtensionOf(format) : "";
        return $"x-{Sha256.Hash(Encoding.UTF8.GetBytes(name))[..DigestDigits]}{extension}";
    }

    /// <summary>The name of a job's picture, which is the same whenever it is asked for.</summary>
    /// <param name="jobId">The job's id.</param>
    /// <param name="accepted">When the job was accepted.</param>
    /// <param name="index">The picture's index in the job, from 0.</param>
    /// <param name="format">The format.</param>
    public static string NameOf(string jobId, DateTimeOffset accepted, int index, PictureFormat format) =>
        string.Create(
            CultureInfo.InvariantCulture, $"{accepted.UtcDateTime:yyyyMMdd-HHmmss}-{jobId}-{index + 1:00}{ExtensionOf(format)}");

    /// <summary>The name of the last preview of a job's picture that was stopped.</summary>
    /// <param name="jobId">The job's id.</param>
    /// <param name="accepted">When the job was accepted.</param>
    /// <param name="index">The picture's index in the job, from 0.</param>
    public static string StudyOf(string jobId, DateTimeOffset accepted, int index) => string.Create(
        CultureInfo.InvariantCulture, $"{accepted.UtcDateTime:yyyyMMdd-HHmmss}-{jobId}-{index + 1:00}{StudyEnd}");

    /// <summary>Whether <see cref="StudyOf"/> made a name.</summary>
    public static bool IsStudy(string name) => name.EndsWith(StudyEnd, StringComparison.Ordinal) && JobOf(name) is not null;

    /// <summary>The job in a name that <see cref="NameOf"/> or <see cref="StudyOf"/> made; null for other names.</summary>
    public static string? JobOf(string name)
    {
        string[] parts = name.Split('-');
        bool isOurs = parts is [{ Length: DateLength }, { Length: TimeLength }, { Length: JobIdLength }, _]
            && parts[0].All(char.IsAsciiDigit)
            && parts[1].All(char.IsAsciiDigit)
            && parts[2].All(char.IsAsciiLetterOrDigit);
        return isOurs ? parts[2] : null;
    }

    /// <summary>The format that a name's extension says; null for other files and for formats that this program cannot read.</summary>
    public static PictureFormat? FormatOf(string name)
    {
        PictureFormat? format = Path.GetExtension(name).ToLowerInvariant() switch
        {
            ".png" => PictureFormat.Png,
            ".jpg" or ".jpeg" => PictureFormat.Jpeg,
            ".webp" => PictureFormat.WebP,
            ".avif" => PictureFormat.Avif,
            _ => null,
        };
        return format is { } known && PictureCodecs.IsKnown(known) ? known : null;
    }

    private static string ExtensionOf(PictureFormat format) => format switch
    {
        PictureFormat.Png => ".png",
        PictureFormat.Jpeg => ".jpg",
        PictureFormat.WebP => ".webp",
        PictureFormat.Avif => ".avif",
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, null),
    };
}
