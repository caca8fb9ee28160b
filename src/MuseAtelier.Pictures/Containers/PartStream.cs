namespace MuseAtelier.Pictures.Containers;

/// <summary>
/// Presents parts of a file as one stream, so that a decoder reads the pixels without the untrusted metadata.
/// </summary>
/// <param name="file">The file; borrowed.</param>
/// <param name="parts">The parts in order.</param>
internal sealed class PartStream(Stream file, IReadOnlyList<FilePart> parts) : Stream
{
    private long _position;

    // The part that was read last, and its start. Hostile files have very many parts, so a search from the first one would be slow.
    private int _part;
    private long _start;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; } = parts.Sum(part => part.Length);

    public override long Position
    {
        get => _position;
        set => _position = Math.Max(0, value);
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (_position < _start)
        {
            _part = 0;
            _start = 0;
        }

        for (; _part < parts.Count; _start += parts[_part++].Length)
        {
            FilePart part = parts[_part];
            long at = _position - _start;
            if (at >= part.Length) continue;
            int count = (int)Math.Min(buffer.Length, part.Length - at);
            if (part.Bytes is { } bytes)
            {
                bytes.AsSpan((int)at, count).CopyTo(buffer);
            }
            else
            {
                file.Position = part.Start + at;
                count = file.Read(buffer[..count]);
            }

            _position += count;
            return count;
        }

        return 0;
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => _position + offset,
        _ => Length + offset,
    };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
