using System.Globalization;

namespace MuseAtelier.Server.Gallery;

/// <summary>The pictures that are known, newest first. Members may be called from any thread.</summary>
internal sealed class GalleryIndex
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, GalleryPicture> _pictures = new(StringComparer.Ordinal);
    private GalleryPicture[]? _newestFirst;

    /// <summary>The number of pictures.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _pictures.Count;
        }
    }

    /// <summary>A picture by its id; null if there is none.</summary>
    public GalleryPicture? Find(string id)
    {
        lock (_lock) return _pictures.GetValueOrDefault(id);
    }

    /// <summary>Adds a picture, or replaces the one with its id.</summary>
    /// <returns>Whether it is new.</returns>
    public bool Put(GalleryPicture picture)
    {
        lock (_lock)
        {
            bool isNew = !_pictures.ContainsKey(picture.Id);
            _pictures[picture.Id] = picture;
            _newestFirst = null;
            return isNew;
        }
    }

    /// <summary>Removes a picture.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Remove(string id)
    {
        lock (_lock)
        {
            if (!_pictures.Remove(id)) return false;
            _newestFirst = null;
            return true;
        }
    }

    /// <summary>All pictures, newest first. The array is shared and must not be changed.</summary>
    public GalleryPicture[] NewestFirst()
    {
        lock (_lock) return _newestFirst ??= [.. _pictures.Values.Order(GalleryCursor.NewestFirst)];
    }

    /// <summary>A page of the pictures that match.</summary>
    public GalleryPage Page(GalleryQuery query)
    {
        GalleryPicture[] all = NewestFirst();
        List<GalleryPicture> page = new(Math.Min(query.Limit, all.Length));
        int total = 0;
        bool hasMore = false;
        foreach (GalleryPicture picture in all)
        {
            if (query.Text.Length > 0 && !Matches(picture, query.Text)) continue;
            total++;
            if (query.After is { } after && after.CompareTo(picture) <= 0) continue;
            if (page.Count < query.Limit) page.Add(picture);
            else hasMore = true;
        }

        GalleryCursor? next = hasMore && page.Count > 0 ? GalleryCursor.Of(page[^1]) : null;
        return new GalleryPage(page, next, total);
    }

    private static bool Matches(GalleryPicture picture, string text)
    {
        if (picture.Record is not { } record) return picture.Text is { } words && Has(words);
        PictureRequest request = record.Request;
        return Has(request.Prompt)
            || Has(request.NegativePrompt)
            || Has(record.Model.Name)
            || request.Seed.ToString(CultureInfo.InvariantCulture) == text;

        bool Has(string where) => where.Contains(text, StringComparison.OrdinalIgnoreCase);
    }
}
