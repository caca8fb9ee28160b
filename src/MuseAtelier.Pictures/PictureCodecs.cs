using System.Collections.Concurrent;

namespace MuseAtelier.Pictures;

/// <summary>
/// The formats that pictures are read and written in. PNG, JPEG and WebP are always known. AVIF is known once a codec for it is registered:
/// the package MuseAtelier.Pictures.Avif brings one (<c>AvifCodec.Register()</c>).
/// </summary>
public static class PictureCodecs
{
    private static readonly ConcurrentDictionary<PictureFormat, IPictureCodec> Registered = new();

    /// <summary>Makes a codec known to the whole process, in place of an earlier one for the same format.</summary>
    /// <param name="codec">The codec.</param>
    /// <exception cref="ArgumentException">The codec is for a format that is built in, or that there is not.</exception>
    public static void Register(IPictureCodec codec)
    {
        ArgumentNullException.ThrowIfNull(codec);
        bool isFree = !IsBuiltIn(codec.Format) && Enum.IsDefined(codec.Format);
        if (!isFree)
            throw new ArgumentException($"no codec is taken for {codec.Format}: only formats that are not built in take one", nameof(codec));
        Registered[codec.Format] = codec;
    }

    /// <summary>Whether pictures can be read and written in a format.</summary>
    /// <param name="format">The format.</param>
    public static bool IsKnown(PictureFormat format) => IsBuiltIn(format) || Registered.ContainsKey(format);

    /// <summary>Whether the format needs no codec.</summary>
    internal static bool IsBuiltIn(PictureFormat format) => format is PictureFormat.Png or PictureFormat.Jpeg or PictureFormat.WebP;

    /// <summary>The codec of a format that is not built in.</summary>
    /// <exception cref="PictureCodecMissingException">None is registered.</exception>
    internal static IPictureCodec Require(string path, PictureFormat format) =>
        Registered.GetValueOrDefault(format) ?? throw new PictureCodecMissingException(path, format);
}
