using System.Globalization;
using MuseAtelier.Server.Gallery;

namespace MuseAtelier.Server.PictureRoutes;

/// <summary>Reads the parameters of a list.</summary>
internal static class PictureQuery
{
    private const int LongestText = 1000;

    /// <summary>Reads the parameters; null means that a parameter is absent.</summary>
    /// <exception cref="ServerRequestException">One of them is out of range.</exception>
    public static GalleryQuery Read(string? text, string? cursor, string? limit)
    {
        var query = new GalleryQuery();
        if (text?.Length > LongestText)
        {
            throw Problems.BadValue(
                "q", Invariant($"q has {text.Length} characters"), Invariant($"at most {LongestText}"), "Look for a part of it.");
        }

        if (limit is not null) query = query with { Limit = ReadLimit(limit) };
        if (cursor is not null)
        {
            GalleryCursor after = GalleryCursor.TryParse(cursor)
                ?? throw Problems.BadValue("cursor", "cursor is none", "the next of an earlier answer", "List from the beginning.");
            query = query with { After = after };
        }

        return query with { Text = text?.Trim() ?? "" };
    }

    private static int ReadLimit(string limit)
    {
        bool isRead = int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out int number);
        if (isRead && number is > 0 and <= GalleryQuery.MostPictures) return number;
        string shown = limit.Length <= 20 ? limit : $"{limit[..20]}…";
        throw Problems.BadValue(
            "limit", $"limit is '{shown}'", Invariant($"a whole number from 1 to {GalleryQuery.MostPictures}"), "Choose such a number.");
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
