using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Containers;

namespace MuseAtelier.Server.Uploads;

/// <summary>Reads the pixels of uploads.</summary>
internal static class UploadPixels
{
    private const string Role = "the upload";

    /// <summary>The picture of a file.</summary>
    /// <param name="file">The file; borrowed.</param>
    /// <param name="name">Its name; null for none.</param>
    /// <exception cref="PictureFileException">The file cannot be decoded.</exception>
    public static SourceImage SourceOf(ReadOnlyMemory<byte> file, string? name)
    {
        using PictureInput input = PictureInput.OfMemory(file, Role);
        return PictureFile.Guard(Role, () => SourceReader.Image(input, name, CancellationToken.None));
    }

    /// <summary>A file as a mask: white is painted anew.</summary>
    /// <param name="file">The file; borrowed.</param>
    /// <param name="name">Its name; null for none.</param>
    /// <exception cref="PictureFileException">The file cannot be decoded.</exception>
    public static MaskImage MaskOf(ReadOnlyMemory<byte> file, string? name)
    {
        using PictureInput input = PictureInput.OfMemory(file, Role);
        return PictureFile.Guard(Role, () => SourceReader.Mask(input, name, CancellationToken.None));
    }
}
