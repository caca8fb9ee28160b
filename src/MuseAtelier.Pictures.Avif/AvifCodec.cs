using System.Buffers;
using System.Runtime.InteropServices;
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
    public void Encode(ReadOnlyMemory<byte> pixels, PictureHeader header, int quality, IBufferWriter<byte> file)
    {
        ArgumentNullException.ThrowIfNull(header);
        ArgumentNullException.ThrowIfNull(file);
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
        file.Write(image.HeifsaveBuffer(q: quality, compression: Enums.ForeignHeifCompression.Av1, keep: exif | xmp));
    }

    /// <inheritdoc/>
    public PictureHeader ReadHeader(ReadOnlyMemory<byte> file)
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
    public void Decode(ReadOnlyMemory<byte> file, Memory<byte> pixels)
    {
        using Image image = Open(file);
        using Image rgb = image.Colourspace(Enums.Interpretation.Srgb);
        using Image opaque = rgb.HasAlpha() ? rgb.Flatten() : rgb.Copy();
        using Image bytes = opaque.Cast(Enums.BandFormat.Uchar);
        if (bytes.Bands != Channels) throw new InvalidDataException($"it has {bytes.Bands} channels");
        byte[] decoded = bytes.WriteToMemory<byte>();
        if (decoded.Length != pixels.Length) throw new InvalidDataException("its parts state different sizes");
        decoded.CopyTo(pixels);
    }

    // Only the HEIF loader may read the bytes, because they are untrusted. It takes whole arrays.
    private static Image Open(ReadOnlyMemory<byte> file)
    {
        bool isWhole = MemoryMarshal.TryGetArray(file, out ArraySegment<byte> part) && part.Array!.Length == file.Length;
        return Image.HeifloadBuffer(isWhole ? part.Array! : file.ToArray());
    }

    private static byte[] Blob(Image image, string name) => image.Contains(name) && image.Get(name) is byte[] blob ? blob : [];
}
