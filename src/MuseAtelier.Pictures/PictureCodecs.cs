using System.Collections.Concurrent;

namespace MuseAtelier.Pictures;

/// <summary>
/// The formats in which pictures are read and written. PNG, JPEG and WebP are built in. AVIF needs a registered codec; the package
/// MuseAtelier.Pictures.Avif has one (<c>AvifCodec.Register()</c>).
/// </summary>
public static class PictureCodecs
{
    private static readonly ConcurrentDictionary<PictureFormat, IPictureCodec> Registered = new();

    /// <summary>Registers a codec for the whole process. It replaces an earlier one for the same format.</summary>
    /// <param name="codec">The codec.</param>
    /// <exception cref="ArgumentException">The codec's format is built in, or does not exist.</exception>
    public static void Register(IPictureCodec codec)
    {
        ArgumentNullException.ThrowIfNull(codec);
        bool isFree = !IsBuiltIn(codec.Format) && Enum.IsDefined(codec.Format);
        if (!isFree)
            throw new ArgumentException($"no codec can be registered for {codec.Format}: the format is built in or unknown", nameof(codec));
        Registered[codec.Format] = codec;
    }

    /// <summary>Whether pictures can be read and written in a format.</summary>
    /// <param name="format">The format.</param>
    public static bool IsKnown(PictureFormat format) => IsBuiltIn(format) || Registered.ContainsKey(format);

    /// <summary>Whether the format needs no codec.</summary>
    internal static bool IsBuiltIn(PictureFormat format) => format is PictureFormat.Png or PictureFormat.Jpeg or PictureFormat.WebP;

    /// <summary>The codec of a format that is not built in.</summary>
    /// <exception cref="PictureCodecMissingException">No codec is registered.</exception>
    internal static IPictureCodec Require(string path, PictureFormat format) =>
        Registered.GetValueOrDefault(format) ?? throw new PictureCodecMissingException(path, format);
}
