using MuseAtelier.Pictures.Files;

namespace MuseAtelier.Server.Gallery;

/// <summary>The gallery's folder and the server's own folders within it.</summary>
internal sealed class GalleryFolders
{
    /// <summary>Creates the paths; nothing on the disk is read or changed.</summary>
    /// <param name="gallery">The folder of the pictures.</param>
    public GalleryFolders(string gallery)
    {
        Gallery = Path.TrimEndingDirectorySeparator(Path.GetFullPath(gallery));
        Own = Path.Combine(Gallery, ".atelier");
        Thumbnails = Path.Combine(Own, "thumbnails");
        Trash = Path.Combine(Own, "trash");
        Uploads = Path.Combine(Own, "uploads");
        Index = Path.Combine(Own, "index");
    }

    /// <summary>The folder of the pictures, absolute, without a separator at its end.</summary>
    public string Gallery { get; }

    /// <summary>The folder of everything that is not a picture of the gallery.</summary>
    public string Own { get; }

    /// <summary>The folder of the thumbnails.</summary>
    public string Thumbnails { get; }

    /// <summary>The folder of the removed pictures.</summary>
    public string Trash { get; }

    /// <summary>The folder of the pictures that others are painted from.</summary>
    public string Uploads { get; }

    /// <summary>The cache of the index.</summary>
    public string Index { get; }

    /// <summary>Creates the folders that do not exist, and checks that a file can be written.</summary>
    /// <exception cref="GalleryFolderException">A folder cannot be created or written, or a link stands in its place.</exception>
    public void Create()
    {
        try
        {
            Directory.CreateDirectory(Gallery);
            foreach (string folder in (string[])[Own, Thumbnails, Trash, Uploads])
            {
                Directory.CreateDirectory(folder);
                // A link would let the server write and delete outside of the gallery.
                if (IsLink(folder)) throw new GalleryFolderException(folder, "it is a link");
            }

            AtomicFile.Probe(Gallery);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new GalleryFolderException(Gallery, exception.Message.ReplaceLineEndings(" ").TrimEnd('.'), exception);
        }
    }

    /// <summary>Whether a path is a regular file: no link, folder, pipe or device.</summary>
    public static bool IsRegular(string path)
    {
        try
        {
            const FileAttributes other = FileAttributes.ReparsePoint | FileAttributes.Directory | FileAttributes.Device;
            return (File.GetAttributes(path) & other) == 0 && UnixFile.Describe(path)?.Kind is null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false;
        }
    }

    private static bool IsLink(string path) => (File.GetAttributes(path) & FileAttributes.ReparsePoint) != 0;
}
