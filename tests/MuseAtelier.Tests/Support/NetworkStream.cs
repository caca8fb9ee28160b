namespace MuseAtelier.Tests.Support;

/// <summary>
/// A stream like that of a network: it cannot seek, and gives at most so many bytes at a time. It counts what was read, and can refuse
/// synchronous calls, as a web server does.
/// </summary>
internal sealed class NetworkStream(byte[] content, int atATime = 1, bool isAsyncOnly = false) : Stream
{
    private readonly MemoryStream _written = new();
    private int _read;

    /// <summary>Runs before each read, with the number of bytes that were read so far.</summary>
    public Action<int>? BeforeRead { get; init; }

    public int BytesRead => _read;

    public bool IsDisposed { get; private set; }

    public byte[] Written => _written.ToArray();

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        RequireSync();
        BeforeRead?.Invoke(_read);
        int count = Math.Min(Math.Min(atATime, buffer.Length), content.Length - _read);
        content.AsSpan(_read, count).CopyTo(buffer);
        _read += count;
        return count;
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        BeforeRead?.Invoke(_read);
        int count = Math.Min(Math.Min(atATime, buffer.Length), content.Length - _read);
        content.AsMemory(_read, count).CopyTo(buffer);
        _read += count;
        return count;
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        RequireSync();
        _written.Write(buffer, offset, count);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        RequireSync();
        _written.Write(buffer);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        _written.Write(buffer.Span);
    }

    public override void Flush() => RequireSync();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        IsDisposed = true;
        _written.Dispose();
        base.Dispose(disposing);
    }

    private void RequireSync()
    {
        if (isAsyncOnly) throw new InvalidOperationException("Synchronous operations are disallowed.");
    }
}
