using System.Globalization;
using CommunityToolkit.HighPerformance.Buffers;

namespace MuseAtelier.Pictures.Containers;

/// <summary>
/// Reads a caller's stream to its end into pooled memory, because readers of pictures go back and forth, and not every stream can. A
/// stream that does not begin like a picture is refused after its first bytes, a stream that is too long as soon as that is known.
/// </summary>
internal sealed class StreamIntake : IDisposable
{
    /// <summary>Names a picture from a stream in messages.</summary>
    public const string Name = "the stream";

    private const int FirstBuffer = 64 << 10;

    private readonly byte[] _further = new byte[1];
    private readonly int _most;
    private readonly int _expected;
    private readonly ArrayPoolBufferWriter<byte> _bytes;
    private bool _isKnown;

    private StreamIntake(Stream stream, int most)
    {
        if (!stream.CanRead) throw new ArgumentException("the stream cannot be read", nameof(stream));
        _most = most;
        _expected = FirstBuffer;
        if (stream.CanSeek)
        {
            long left = Math.Max(0, stream.Length - stream.Position);
            PictureInput.RequireSize(Name, left, most);
            // With room for one byte more, the end is found without a larger buffer.
            _expected = (int)Math.Min(left + 1, most);
        }

        _bytes = new ArrayPoolBufferWriter<byte>(Math.Min(_expected, FirstBuffer));
    }

    // The memory that the next bytes are read into. Behind the limit, one byte tells whether there are more.
    private Memory<byte> Room
    {
        get
        {
            int left = _most - _bytes.WrittenCount;
            if (left == 0) return _further;
            Memory<byte> room = _bytes.GetMemory(1);
            return room[..Math.Min(room.Length, left)];
        }
    }

    /// <summary>Reads a stream. The stream's own exceptions pass through.</summary>
    /// <param name="stream">The stream, from its position on; stays open.</param>
    /// <param name="most">The most bytes that are read.</param>
    /// <exception cref="NotAPictureException">It does not begin like a picture.</exception>
    /// <exception cref="PictureTooLargeException">It is too long.</exception>
    public static PictureInput Read(Stream stream, int most = PictureInput.MostBytes)
    {
        var intake = new StreamIntake(stream, most);
        try
        {
            bool hasMore = true;
            while (hasMore) hasMore = intake.Take(stream.Read(intake.Room.Span));
            return intake.Finish();
        }
        catch
        {
            intake.Dispose();
            throw;
        }
    }

    /// <summary>Reads a stream by its asynchronous methods alone. The stream's own exceptions pass through.</summary>
    /// <param name="stream">The stream, from its position on; stays open.</param>
    /// <param name="cancellationToken">Stops between two reads, and a read if the stream allows it.</param>
    /// <param name="most">The most bytes that are read.</param>
    /// <exception cref="NotAPictureException">It does not begin like a picture.</exception>
    /// <exception cref="PictureTooLargeException">It is too long.</exception>
    public static async Task<PictureInput> ReadAsync(
        Stream stream, CancellationToken cancellationToken, int most = PictureInput.MostBytes)
    {
        var intake = new StreamIntake(stream, most);
        try
        {
            bool hasMore = true;
            while (hasMore)
            {
                cancellationToken.ThrowIfCancellationRequested();
                hasMore = intake.Take(await stream.ReadAsync(intake.Room, cancellationToken).ConfigureAwait(false));
            }

            return intake.Finish();
        }
        catch
        {
            // The stream may still write into the buffer if a read was cancelled, so the buffer must not return to the pool then.
            if (!cancellationToken.IsCancellationRequested) intake.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _bytes.Dispose();

    // Counts bytes that were read; false at the end of the stream.
    private bool Take(int count)
    {
        if (count == 0) return false;
        if (_bytes.WrittenCount == _most)
            throw new PictureTooLargeException(Name,
                string.Create(CultureInfo.InvariantCulture, $"it has more than the {_most:N0} bytes up to which pictures are read"));
        _bytes.Advance(count);
        if (!_isKnown && _bytes.WrittenCount >= PictureFormats.BytesToDetect) Recognise();
        return true;
    }

    // The length that a stream states is believed, and memory taken for it, once the stream begins like a picture.
    private void Recognise()
    {
        if (PictureFormats.Detect(_bytes.WrittenSpan) is null) throw new NotAPictureException(Name);
        _isKnown = true;
        if (_expected > _bytes.WrittenCount) _bytes.GetMemory(_expected - _bytes.WrittenCount);
    }

    private PictureInput Finish() => PictureInput.OfMemory(_bytes.WrittenMemory, Name, this);
}
