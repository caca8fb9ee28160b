using MuseAtelier.Pictures;

namespace MuseAtelier.Server.OpenAi;

/// <summary>The words for formats of files.</summary>
internal static class ImageFormats
{
    private static readonly (string Word, PictureFormat Format)[] Words =
        [("png", PictureFormat.Png), ("jpeg", PictureFormat.Jpeg), ("webp", PictureFormat.WebP)];

    /// <summary>The word for a format.</summary>
    public static string WordOf(PictureFormat format) => Array.Find(Words, known => known.Format == format).Word;

    /// <summary>The format of a word; null if it is none of these.</summary>
    public static PictureFormat? Find(string word)
    {
        foreach ((string known, PictureFormat format) in Words) if (known == word) return format;
        return null;
    }
}
