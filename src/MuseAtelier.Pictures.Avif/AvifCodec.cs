using NetVips;

namespace MuseAtelier.Pictures.Avif;

/// <summary>Reads and writes AVIF files with libvips. Call <see cref="Register"/> before the first picture is read or written.</summary>
public sealed class AvifCodec : IPictureCodec
{
    private const int Channels = 3;

    // 72 dots per inch in libvips' unit, dots per mm: the resolution that programs write for pictures without one.
    private const double Resolution = 72 / 25.4;

    private const string ExifField = "exif-data";
    private const string XmpField = "xmp-data";
    private const string IccField = "icc-profile-data";

    private static readonly Log.LogDelegate Silence = (_, _, _) => { };

    // libvips prints warnings to the host's stderr. Errors are reported as exceptions anyway.
    static AvifCodec() => Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning | Enums.LogLevelFlags.Info, Silence);

    private AvifCodec()
    {
    }

    /// <inheritdoc/>
    public PictureFormat Format => PictureFormat.Avif;

    /// <summary>
    /// Registers AVIF for the whole process: <see cref="PictureFile"/> can then read and write it. Further calls have no effect.
    /// </summary>
    public static void Register() => PictureCodecs.Register(new AvifCodec());

    /// <inheritdoc/>
    public byte[] Encode(ReadOnlyMemory<byte> pixels, PictureHeader header, int quality)
    {
        ArgumentNullException.ThrowIfNull(header);
        using Image raw = Image.NewFromMemory(pixels, header.Width, header.Height, Channels, Enums.BandFormat.Uchar);
        using Image plain = raw.Copy(interpretation: Enums.Interpretation.Srgb, xres: Resolution, yres: Resolution);
        using Image image = plain.Mutate(mutable =>
        {
            if (!header.Exif.IsEmpty) mutable.Set(GValue.BlobType, ExifField, header.Exif.ToArray());
            if (!header.Xmp.IsEmpty) mutable.Set(GValue.BlobType, XmpField, header.Xmp.ToArray());
        });
        // If EXIF may be kept and there is none, libvips creates some.
        Enums.ForeignKeep exif = header.Exif.IsEmpty ? Enums.ForeignKeep.None : Enums.ForeignKeep.Exif;
        Enums.ForeignKeep xmp = header.Xmp.IsEmpty ? Enums.ForeignKeep.None : Enums.ForeignKeep.Xmp;
        return image.HeifsaveBuffer(q: quality, compression: Enums.ForeignHeifCompression.Av1, keep: exif | xmp);
    }

    /// <inheritdoc/>
    public PictureHeader ReadHeader(byte[] file)
    {
        using Image image = Open(file);
        return new PictureHeader(image.Width, image.Height)
        {
            Exif = Blob(image, ExifField),
            Xmp = Blob(image, XmpField),
            Icc = Blob(image, IccField),
        };
    }

    /// <inheritdoc/>
    public byte[] Decode(byte[] file)
    {
        using Image image = Open(file);
        using Image rgb = image.Colourspace(Enums.Interpretation.Srgb);
        using Image opaque = rgb.HasAlpha() ? rgb.Flatten() : rgb.Copy();
        using Image bytes = opaque.Cast(Enums.BandFormat.Uchar);
        return bytes.Bands == Channels ? bytes.WriteToMemory<byte>() : throw new InvalidDataException($"it has {bytes.Bands} channels");
    }

    // Only the HEIF loader may read the bytes, because they are untrusted.
    private static Image Open(byte[] file) => Image.HeifloadBuffer(file);

    private static byte[] Blob(Image image, string name) => image.Contains(name) && image.Get(name) is byte[] blob ? blob : [];
}
