using MuseAtelier.Pictures;
using MuseAtelier.Server.Gallery;

namespace MuseAtelier.Server.PictureRoutes;

/// <summary>The settings of a picture in the form that other programs read.</summary>
internal static class PictureSettings
{
    /// <summary>AUTOMATIC1111's text: the one in the file, or else one that is written from the record; null if there is neither.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="path">The path of its file.</param>
    public static string? TextOf(GalleryPicture picture, string path)
    {
        try
        {
            if (PictureFile.Read(path).Parameters is { } text) return text;
        }
        catch (PictureFileException)
        {
            // The file has gone or changed since it was listed; the record is still known.
        }

        return picture.Record is { } record
            ? ParametersText.Write(record)
            : null;
    }
}
