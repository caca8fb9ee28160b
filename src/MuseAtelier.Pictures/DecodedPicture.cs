using CommunityToolkit.HighPerformance.Buffers;

namespace MuseAtelier.Pictures;

/// <summary>
/// The pixels of a picture that was decoded from a file, a stream or memory. It owns their memory, which comes from a pool: dispose it to
/// give the memory back. A decoded picture that is never disposed is collected like any other object.
/// </summary>
public sealed class DecodedPicture : IDisposable
{
    private readonly MemoryOwner<byte> _pixels;
    private bool _isDisposed;

    internal DecodedPicture(PictureFormat format, int width, int height, MemoryOwner<byte> pixels)
    {
        Format = format;
        Width = width;
        Height = height;
        _pixels = pixels;
    }

    /// <summary>The format of the file.</summary>
    public PictureFormat Format { get; }

    /// <summary>Width in px.</summary>
    public int Width { get; }

    /// <summary>Height in px.</summary>
    public int Height { get; }

    /// <summary>
    /// [Height, Width, 3] interleaved RGB, 8 bits a channel, as the file stores it; rows from top to bottom. Valid until the object is
    /// disposed.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The object is disposed.</exception>
    public ReadOnlyMemory<byte> Pixels
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _pixels.Memory;
        }
    }

    /// <summary>Gives the memory of the pixels back. Further calls have no effect.</summary>
    public void Dispose()
    {
        if (!Interlocked.Exchange(ref _isDisposed, true)) _pixels.Dispose();
    }
}
