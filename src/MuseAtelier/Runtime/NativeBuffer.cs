using CommunityToolkit.HighPerformance;

namespace MuseAtelier.Runtime;

/// <summary>Native memory with one owner: whoever holds the buffer disposes it.</summary>
internal sealed class NativeBuffer : IDisposable
{
    private Action<nint>? _free;

    /// <summary>Takes over memory that <paramref name="free"/> gives back.</summary>
    public NativeBuffer(nint address, long bytes, Action<nint> free) => (Address, Bytes, _free) = (address, bytes, free);

    /// <summary>First byte.</summary>
    public nint Address { get; private set; }

    /// <summary>Size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>The buffer's content, for host memory only.</summary>
    public unsafe Span<T> AsSpan<T>()
        where T : unmanaged
    {
        ObjectDisposedException.ThrowIf(_free is null, this);
        return new Span<byte>((void*)Address, checked((int)Bytes)).Cast<byte, T>();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Interlocked.Exchange(ref _free, null)?.Invoke(Address);
        Address = 0;
    }
}
