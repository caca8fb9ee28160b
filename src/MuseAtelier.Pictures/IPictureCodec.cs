using System.Buffers;

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
    /// <param name="file">Receives the file's bytes; borrowed for the call.</param>
    void Encode(ReadOnlyMemory<byte> pixels, PictureHeader header, int quality, IBufferWriter<byte> file);

    /// <summary>Reads size and metadata without decoding pixels.</summary>
    /// <param name="file">The file's bytes, untrusted; borrowed for the call.</param>
    PictureHeader ReadHeader(ReadOnlyMemory<byte> file);

    /// <summary>Decodes a picture. Its header was read before, and its size is within the limit of the library.</summary>
    /// <param name="file">The file's bytes, untrusted; borrowed for the call.</param>
    /// <param name="pixels">
    /// [Height, Width, 3] interleaved RGB, 8 bits a channel, of the size in the header; to be overwritten whole. Throw
    /// <see cref="InvalidDataException"/> if the pixels have another size.
    /// </param>
    void Decode(ReadOnlyMemory<byte> file, Memory<byte> pixels);
}

/// <summary>A picture's size, and the metadata blocks of its file.</summary>
public sealed record PictureHeader
{
    /// <summary>Creates the header of a picture without metadata.</summary>
    /// <param name="width">Width in px.</param>
    /// <param name="height">Height in px.</param>
    public PictureHeader(int width, int height) => (Width, Height) = (width, height);

    /// <summary>Width in px.</summary>
    public int Width { get; init; }

    /// <summary>Height in px.</summary>
    public int Height { get; init; }

    /// <summary>EXIF, as a TIFF structure, with or without "Exif\0\0" before it; empty for none.</summary>
    public ReadOnlyMemory<byte> Exif { get; init; }

    /// <summary>An XMP packet, UTF-8; empty for none.</summary>
    public ReadOnlyMemory<byte> Xmp { get; init; }

    /// <summary>An ICC profile; empty for none.</summary>
    public ReadOnlyMemory<byte> Icc { get; init; }
}
