namespace MuseAtelier.Pictures;

/// <summary>
/// Encodes and decodes the files of one format that MuseAtelier.Pictures does not know by itself; <see cref="PictureCodecs.Register"/>
/// makes it known. Every member may be called from several threads at once. Whatever a member throws reaches the caller as a <see
/// cref="PictureNotEncodedException"/> or a <see cref="PictureDamagedException"/> that holds it.
/// </summary>
public interface IPictureCodec
{
    /// <summary>The format.</summary>
    PictureFormat Format { get; }

    /// <summary>Encodes a picture. The same input gives the same bytes.</summary>
    /// <param name="pixels">[Height, Width, 3] interleaved RGB, 8 bits a channel; borrowed for the call.</param>
    /// <param name="header">The picture's size, and the blocks of metadata that the file is to carry as they are; no others may be
    /// added.</param>
    /// <param name="quality">1 to 100.</param>
    /// <returns>The file's bytes.</returns>
    byte[] Encode(ReadOnlyMemory<byte> pixels, PictureHeader header, int quality);

    /// <summary>Reads size and metadata, and no pixels.</summary>
    /// <param name="file">The file's bytes, which may be hostile; borrowed for the call.</param>
    PictureHeader ReadHeader(byte[] file);

    /// <summary>Decodes a picture whose header states no more pixels than are read.</summary>
    /// <param name="file">The file's bytes, which may be hostile; borrowed for the call.</param>
    /// <returns>[Height, Width, 3] interleaved RGB, 8 bits a channel, of the size that the header states.</returns>
    byte[] Decode(byte[] file);
}

/// <summary>Size of a picture, and the blocks of metadata that its file carries.</summary>
/// <param name="Width">Width in px.</param>
/// <param name="Height">Height in px.</param>
public sealed record PictureHeader(int Width, int Height)
{
    /// <summary>EXIF, as a TIFF structure, with or without "Exif\0\0" before it; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Exif { get; init; }

    /// <summary>An XMP packet, UTF-8; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Xmp { get; init; }

    /// <summary>An ICC profile; empty where there is none.</summary>
    public ReadOnlyMemory<byte> Icc { get; init; }
}
