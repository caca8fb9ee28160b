namespace MuseAtelier;

/// <summary>
/// A painted picture, with its request, its timings, its memory and its provenance. It owns the memory of <see cref="Pixels"/> and
/// <see cref="Latents"/>, which comes from a pool: dispose the picture to give that memory back. A picture that is never disposed is
/// collected like any other object; then its memory does not go back to the pool.
/// </summary>
/// <remarks>
/// A picture that a program creates itself uses the memory that the program passes, which the program continues to own. Reading a picture
/// from several threads is safe. Dispose it only after everything that reads it has ended, because the pool may reuse the memory at once.
/// </remarks>
public sealed class Picture : IDisposable
{
    private readonly ReadOnlyMemory<byte> _pixels;
    private readonly ReadOnlyMemory<float> _latents;
    private bool _isDisposed;

    /// <summary>Width in px, including a frame that lies around the picture.</summary>
    public required int Width { get; init; }

    /// <summary>Height in px, including a frame that lies around the picture.</summary>
    public required int Height { get; init; }

    /// <summary>
    /// [Height, Width, 3] interleaved RGB, 8 bits a channel, sRGB; rows from top to bottom. Valid until the picture is disposed.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The picture is disposed.</exception>
    public required ReadOnlyMemory<byte> Pixels
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _pixels;
        }
        init => _pixels = value;
    }

    /// <summary>The request.</summary>
    public required PictureRequest Request { get; init; }

    /// <summary>The model that painted it.</summary>
    public required ModelInfo Model { get; init; }

    /// <summary>Sentences for the user, such as the part of a prompt that was cut off; empty if there are none.</summary>
    public required IReadOnlyList<string> Notices { get; init; }

    /// <summary>The time that each part took.</summary>
    public required PictureTimings Timings { get; init; }

    /// <summary>
    /// The planned and the measured memory of the device; null for a picture that this engine did not paint.
    /// </summary>
    public PictureMemory? Memory { get; init; }

    /// <summary>
    /// The final latents, [1, 4, Height/8, Width/8] of the request or of its second pass, NCHW fp32, in the scale of the UNet. Valid until
    /// the picture is disposed.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The picture is disposed.</exception>
    public required ReadOnlyMemory<float> Latents
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _latents;
        }
        init => _latents = value;
    }

    /// <summary>The versions, the device and the plan that painted the picture, and digests of its steps.</summary>
    public required PictureProvenance Provenance { get; init; }

    /// <summary>
    /// Whether the package's fp32 decoder decoded the picture, because the device's own precision overflowed or because
    /// <see cref="AtelierOptions.DecodesInFp32"/> is set.
    /// </summary>
    public bool DecodedInFp32 { get; init; }

    /// <summary>The owners of the memory of pixels and latents, which the picture disposes; empty if the memory is not pooled.</summary>
    internal IReadOnlyList<IDisposable> Owners { get; init; } = [];

    /// <summary>Gives the memory of pixels and latents back. Further calls have no effect, and all other members stay readable.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, true)) return;
        foreach (IDisposable owner in Owners) owner.Dispose();
    }
}
