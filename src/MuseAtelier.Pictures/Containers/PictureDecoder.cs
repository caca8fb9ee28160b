using System.Globalization;
using MuseAtelier.Pictures.Metadata;
using NetVips;

namespace MuseAtelier.Pictures.Containers;

/// <summary>Files to metadata and pixels. Nothing larger is read than any picture of this project could be.</summary>
internal static class PictureDecoder
{
    private const int Channels = 3;
    private const long MostBytes = 256L << 20, MostPixels = 64_000_000;

    private static readonly Log.LogDelegate Silence = (_, _, _) => { };

    // libvips prints its warnings to stderr, the host's: what matters of them comes as exceptions.
    static PictureDecoder() => Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, Silence);

    /// <summary>Reads metadata by libvips, which knows every container but has no eyes for a PNG's texts.</summary>
    public static PictureFileContent ReadMetadata(string path, PictureFormat format)
    {
        using Image image = Open(path);
        byte[]? exif = Blob(image, VipsField.Exif), xmp = Blob(image, VipsField.Xmp);
        string? comment = exif is null ? null : ExifBlock.ReadComment(exif);
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        if (comment is not null) texts["UserComment"] = comment;
        if (xmp is not null) texts[XmpPacket.PngKeyword] = System.Text.Encoding.UTF8.GetString(xmp);
        return new PictureFileContent(path, format, image.Width, image.Height)
        {
            Texts = texts,
            Parameters = comment,
            RecordJson = xmp is null ? null : XmpPacket.ReadRecord(xmp),
        };
    }

    /// <summary>[height, width, 3] RGB, 8 bits.</summary>
    public static (int Width, int Height, byte[] Pixels) ReadPixels(string path)
    {
        using Image image = Open(path);
        try
        {
            using Image rgb = image.Colourspace(Enums.Interpretation.Srgb);
            using Image opaque = rgb.HasAlpha() ? rgb.Flatten() : rgb.Copy();
            using Image bytes = opaque.Cast(Enums.BandFormat.Uchar);
            if (bytes.Bands != Channels) throw new PictureDamagedException(path, string.Create(CultureInfo.InvariantCulture, $"it has {bytes.Bands} channels"));
            return (bytes.Width, bytes.Height, bytes.WriteToMemory<byte>());
        }
        catch (VipsException exception)
        {
            throw new PictureDamagedException(path, Reason(exception), exception);
        }
    }

    private static Image Open(string path)
    {
        var info = new FileInfo(path);
        if (info.Length > MostBytes) throw new PictureDamagedException(path, string.Create(CultureInfo.InvariantCulture, $"it has {info.Length:N0} bytes, and pictures of up to {MostBytes:N0} are read"));
        try
        {
            Image image = Image.NewFromBuffer(File.ReadAllBytes(path));
            if ((long)image.Width * image.Height <= MostPixels) return image;
            string found = string.Create(CultureInfo.InvariantCulture, $"it states {image.Width}x{image.Height} px, and pictures of up to {MostPixels:N0} are read");
            image.Dispose();
            throw new PictureDamagedException(path, found);
        }
        catch (VipsException exception)
        {
            throw new PictureDamagedException(path, Reason(exception), exception);
        }
    }

    private static byte[]? Blob(Image image, string name) => image.Contains(name) ? image.Get(name) as byte[] : null;

    private static string Reason(VipsException exception) => exception.Message.ReplaceLineEndings(" ").Trim().TrimEnd('.');
}
