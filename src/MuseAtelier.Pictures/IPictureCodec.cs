namespace MuseAtelier.Pictures;

/// <summary>
/// Encodes and decodes files of a format that is not built into MuseAtelier.Pictures; <see cref="PictureCodecs.Register"/> registers it.
/// Members must be safe for concurrent use. Exceptions of members reach the caller as the inner exception of a
/// <see cref="PictureNotEncodedException"/> or a <see cref="PictureDamagedException"/>.
/// </summary>
public interface IPictureCodec
{
    /// <summary>The format.</summary>
    PictureFormat Format { get; }

    /// <summary>Encodes a picture. The same input must give the same bytes.</summary>
    /// <param name="pixels">[Height, Width, 3] interleaved RGB, 8 bits a channel; borrowed for the call.</param>
    /// <param name="header">The picture's size, and the blocks of metadata that the file must have, unchanged and without others.</param>
    /// <param name="quality">1 to 100.</param>
    /// <returns>The file's bytes.</returns>
    byte[] Encode(ReadOnlyMemory<byte> pixels, PictureHeader header, int quality);

    /// <summary>Reads size and metadata without decoding pixels.</summary>
    /// <param name="file">The file's bytes, untrusted; borrowed for the call.</param>
    PictureHeader ReadHeader(byte[] file);

    /// <summary>Decodes a picture. Its header was read before, and its size is within the limit of the library.</summary>
    /// <param name="file">The file's bytes, untrusted; borrowed for the call.</param>
    /// <returns>[Height, Width, 3] interleaved RGB, 8 bits a channel, of the size in the header.</returns>
    byte[] Decode(byte[] file);
}

/// <summary>A picture's size, and the metadata blocks of its file.</summary>
/// <param name="Width">Width in px.</param>
/// <param name="Height">Height in px.</param>
public sealed record PictureHeader(int Width, int Height)
{
    /// <summary>EXIF, as a TIFF structure, with or without "Exif\0\0" before it; empty for none.</summary>
    public ReadOnlyMemory<byte> Exif { get; init; }

    /// <summary>An XMP packet, UTF-8; empty for none.</summary>
    public ReadOnlyMemory<byte> Xmp { get; init; }

    /// <summary>An ICC profile; empty for none.</summary>
    public ReadOnlyMemory<byte> Icc { get; init; }
}
