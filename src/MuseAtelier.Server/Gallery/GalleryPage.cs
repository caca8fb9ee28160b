using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace MuseAtelier.Server.Gallery;

/// <summary>Which pictures are listed.</summary>
internal sealed record GalleryQuery
{
    /// <summary>The most pictures of a page.</summary>
    public const int MostPictures = 200;

    /// <summary>The text that prompts, the model's name or the seed must have; empty for all pictures.</summary>
    public string Text { get; init; } = "";

    /// <summary>The picture behind which the page begins; null for the first page.</summary>
    public GalleryCursor? After { get; init; }

    /// <summary>The most pictures of the page, 1 to <see cref="MostPictures"/>.</summary>
    public int Limit { get; init; } = 60;
}

/// <summary>A page of pictures.</summary>
/// <param name="Pictures">The pictures, newest first.</param>
/// <param name="Next">Where the next page begins; null if this is the last one.</param>
/// <param name="Total">The number of pictures on all pages.</param>
internal sealed record GalleryPage(IReadOnlyList<GalleryPicture> Pictures, GalleryCursor? Next, int Total);

/// <summary>
/// A place in the list, newest first: the time and the id of a picture. Pictures that are added or removed meanwhile shift nothing.
/// </summary>
/// <param name="Ticks">The picture's time in UTC ticks.</param>
/// <param name="Id">The picture's id.</param>
internal sealed record GalleryCursor(long Ticks, string Id)
{
    private const int LongestText = 512;

    /// <summary>The order of the list.</summary>
    public static IComparer<GalleryPicture> NewestFirst { get; } = Comparer<GalleryPicture>.Create((one, other) =>
    {
        int byTime = other.Painted.CompareTo(one.Painted);
        return byTime != 0 ? byTime : string.CompareOrdinal(other.Id, one.Id);
    });

    /// <summary>The place of a picture.</summary>
    public static GalleryCursor Of(GalleryPicture picture) => new(picture.Painted.UtcTicks, picture.Id);

    /// <summary>Reads a cursor as <see cref="ToString"/> writes it; null if the text is none.</summary>
    public static GalleryCursor? TryParse(string text)
    {
        if (text.Length > LongestText || !Base64Url.IsValid(text)) return null;
        string plain = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text));
        int end = plain.IndexOf('-', StringComparison.Ordinal);
        return end > 0 && long.TryParse(plain.AsSpan(0, end), NumberStyles.None, CultureInfo.InvariantCulture, out long ticks)
            ? new GalleryCursor(ticks, plain[(end + 1)..])
            : null;
    }

    /// <summary>Less than 0 if the cursor is older than a picture, 0 if it is the picture's, more than 0 if it is newer.</summary>
    public int CompareTo(GalleryPicture picture)
    {
        int byTime = Ticks.CompareTo(picture.Painted.UtcTicks);
        return byTime != 0 ? byTime : string.CompareOrdinal(Id, picture.Id);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Ticks}-{Id}")));
}
