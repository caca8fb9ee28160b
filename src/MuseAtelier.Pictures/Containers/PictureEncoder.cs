using System.Text;
using MuseAtelier.Pictures.Metadata;
using NetVips;

namespace MuseAtelier.Pictures.Containers;

/// <summary>Pixels and texts to the bytes of a file. The same input gives the same bytes.</summary>
internal static class PictureEncoder
{
    private const int Channels = 3;

    // 72 dots an inch, in libvips' dots a mm: what programs take for "not said".
    private const double Resolution = 72 / 25.4;

    // A JPEG segment holds 65,533 bytes, its own name among them; libvips adds some tags of its own to EXIF.
    private const int JpegExifRoom = 65_000, JpegXmpRoom = 65_533 - 29;

    /// <summary>Encodes a picture.</summary>
    /// <param name="path">Path of the file to be, for messages.</param>
    /// <param name="pixels">[height, width, 3] RGB; borrowed.</param>
    /// <param name="width">Width in px.</param>
    /// <param name="height">Height in px.</param>
    /// <param name="encoding">Format and quality.</param>
    /// <param name="texts">What the file says of itself.</param>
    /// <exception cref="PictureMetadataTooLargeException">The texts do not fit into the format.</exception>
    public static byte[] Encode(string path, ReadOnlyMemory<byte> pixels, int width, int height, RecordedEncoding encoding, MetadataTexts texts)
    {
        // PNG has a place for the record of its own; elsewhere XMP carries it.
        bool isPng = encoding.Format == PictureFormat.Png;
        byte[]? exif = texts.Parameters is null ? null : ExifBlock.Write(texts.Software!, texts.Parameters);
        byte[]? xmp = texts.Software is null ? null : XmpPacket.Write(texts.Software, isPng ? null : texts.Record);
        if (encoding.Format == PictureFormat.Jpeg)
        {
            if (exif?.Length > JpegExifRoom) throw new PictureMetadataTooLargeException(path, "EXIF", exif.Length, JpegExifRoom);
            if (xmp?.Length > JpegXmpRoom) throw new PictureMetadataTooLargeException(path, "XMP", xmp.Length, JpegXmpRoom);
        }

        using Image raw = Image.NewFromMemory(pixels, width, height, Channels, Enums.BandFormat.Uchar);
        using Image plain = raw.Copy(interpretation: Enums.Interpretation.Srgb, xres: Resolution, yres: Resolution);
        using Image image = plain.Mutate(mutable =>
        {
            if (exif is not null) mutable.Set(GValue.BlobType, VipsField.Exif, exif);
            // Into PNG, libvips would write XMP as compressed text, where nobody looks for it.
            if (xmp is not null && !isPng) mutable.Set(GValue.BlobType, VipsField.Xmp, xmp);
        });
        // Allowed to keep EXIF, libvips would make some where there is none.
        Enums.ForeignKeep keep = (exif is null ? Enums.ForeignKeep.None : Enums.ForeignKeep.Exif) | (xmp is null ? Enums.ForeignKeep.None : Enums.ForeignKeep.Xmp);
        return encoding.Format switch
        {
            PictureFormat.Png => PngFile.Embed(image.PngsaveBuffer(keep: keep), Chunks(texts, xmp)),
            PictureFormat.Jpeg => image.JpegsaveBuffer(q: encoding.Quality, keep: keep),
            PictureFormat.WebP => image.WebpsaveBuffer(q: encoding.Quality, keep: keep),
            PictureFormat.Avif => image.HeifsaveBuffer(q: encoding.Quality, compression: Enums.ForeignHeifCompression.Av1, keep: keep),
            _ => throw new ArgumentOutOfRangeException(nameof(encoding), encoding.Format, null),
        };
    }

    private static List<PngChunk> Chunks(MetadataTexts texts, byte[]? xmp)
    {
        List<PngChunk> chunks = [];
        if (texts.Parameters is not null) chunks.Add(PngChunk.Text(ParametersText.Keyword, texts.Parameters));
        if (xmp is not null) chunks.Add(PngChunk.InternationalText(XmpPacket.PngKeyword, Encoding.UTF8.GetString(xmp)));
        if (texts.Record is not null) chunks.Add(PngChunk.InternationalText(PictureRecord.Keyword, texts.Record));
        return chunks;
    }
}
