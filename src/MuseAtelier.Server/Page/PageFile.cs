using System.IO.Compression;
using System.IO.Hashing;

namespace MuseAtelier.Server.Page;

/// <summary>A file of the page in memory, as it is and compressed.</summary>
internal sealed class PageFile
{
    private static readonly Dictionary<string, (string Type, bool IsText)> Types = new(StringComparer.OrdinalIgnoreCase)
    {
        [".html"] = ("text/html; charset=utf-8", true),
        [".css"] = ("text/css; charset=utf-8", true),
        [".js"] = ("text/javascript; charset=utf-8", true),
        [".mjs"] = ("text/javascript; charset=utf-8", true),
        [".json"] = ("application/json; charset=utf-8", true),
        [".webmanifest"] = ("application/manifest+json; charset=utf-8", true),
        [".svg"] = ("image/svg+xml; charset=utf-8", true),
        [".txt"] = ("text/plain; charset=utf-8", true),
        [".ico"] = ("image/x-icon", false),
        [".jpg"] = ("image/jpeg", false),
        [".png"] = ("image/png", false),
        [".webp"] = ("image/webp", false),
        [".woff2"] = ("font/woff2", false),
    };

    private readonly bool _isText;
    private volatile byte[]? _brotli;
    private volatile byte[]? _gzip;

    /// <summary>Creates the file.</summary>
    /// <param name="name">Its name below the page's folder, with forward slashes.</param>
    /// <param name="content">Its content, which is not copied.</param>
    public PageFile(string name, byte[] content)
    {
        (Name, Content) = (name, content);
        (MediaType, _isText) = Types.GetValueOrDefault(Path.GetExtension(name), ("application/octet-stream", false));
        Tag = Convert.ToHexStringLower(XxHash128.Hash(content));
    }

    /// <summary>The name below the page's folder.</summary>
    public string Name { get; }

    /// <summary>The content as it is.</summary>
    public byte[] Content { get; }

    /// <summary>The content type.</summary>
    public string MediaType { get; }

    /// <summary>Stands for the content: another content has another tag.</summary>
    public string Tag { get; }

    /// <summary>Compresses the content as far as possible, where that makes it smaller. Until then it is sent as it is.</summary>
    public void Compress()
    {
        if (!_isText) return;
        _gzip = Smaller(to => new GZipStream(to, CompressionLevel.SmallestSize, leaveOpen: true));
        _brotli = Smaller(to => new BrotliStream(to, CompressionLevel.SmallestSize, leaveOpen: true));
    }

    /// <summary>The bytes to send to a client.</summary>
    /// <param name="accepted">The client's header Accept-Encoding.</param>
    /// <returns>The bytes, and the name of their encoding; null if they are the content itself.</returns>
    public (byte[] Bytes, string? Encoding) For(string accepted)
    {
        if (_brotli is { } brotli && Accepts(accepted, "br")) return (brotli, "br");
        if (_gzip is { } gzip && Accepts(accepted, "gzip")) return (gzip, "gzip");
        return (Content, null);
    }

    // A client may refuse an encoding by a weight of 0.
    private static bool Accepts(string accepted, string encoding)
    {
        foreach (string part in accepted.Split(',', StringSplitOptions.TrimEntries))
        {
            string[] words = part.Split(';', StringSplitOptions.TrimEntries);
            if (!words[0].Equals(encoding, StringComparison.OrdinalIgnoreCase)) continue;
            return !words.Skip(1).Any(word => word is "q=0" or "q=0.0" or "q=0.00" or "q=0.000");
        }

        return false;
    }

    private byte[]? Smaller(Func<Stream, Stream> compressor)
    {
        using var buffer = new MemoryStream();
        using (Stream stream = compressor(buffer)) stream.Write(Content);
        return buffer.Length < Content.Length ? buffer.ToArray() : null;
    }
}
