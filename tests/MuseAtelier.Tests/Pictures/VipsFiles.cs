using MuseAtelier.Pictures;
using MuseAtelier.Pictures.Containers;
using MuseAtelier.Pictures.Metadata;
using NetVips;

namespace MuseAtelier.Tests.Pictures;

/// <summary>Files as version 0.1.0 wrote them: encoded by libvips, which wrote the metadata of JPEG and WebP too.</summary>
internal static class VipsFiles
{
    public static byte[] Write(Picture picture, PictureFormat format, string record)
    {
        const string software = "MuseAtelier 0.1.0";
        bool isPng = format == PictureFormat.Png;
        byte[] exif = ExifBlock.Write(software, picture.Request.Prompt), xmp = XmpPacket.Write(software, isPng ? null : record);
        using Image raw = Image.NewFromMemory(picture.Pixels, picture.Width, picture.Height, 3, Enums.BandFormat.Uchar);
        using Image plain = raw.Copy(interpretation: Enums.Interpretation.Srgb);
        using Image image = plain.Mutate(mutable =>
        {
            mutable.Set(GValue.BlobType, "exif-data", exif);
            if (!isPng) mutable.Set(GValue.BlobType, "xmp-data", xmp);
        });
        const Enums.ForeignKeep keep = Enums.ForeignKeep.Exif | Enums.ForeignKeep.Xmp;
        return format switch
        {
            PictureFormat.Png =>
                Encoded.Png(image.PngsaveBuffer(keep: keep), [PngChunk.InternationalText(PictureRecord.Keyword, record)]),
            PictureFormat.Jpeg => image.JpegsaveBuffer(q: 95, keep: keep),
            _ => image.WebpsaveBuffer(q: 95, keep: keep),
        };
    }
}
