using CommunityToolkit.HighPerformance;

namespace MuseAtelier.Runtime;

/// <summary>Native memory with one owner, who must dispose it.</summary>
internal sealed class NativeBuffer : IDisposable
{
    private Action<nint>? _free;

    /// <summary>Takes ownership of memory that <paramref name="free"/> frees.</summary>
    public NativeBuffer(nint address, long bytes, Action<nint> free) => (Address, Bytes, _free) = (address, bytes, free);

    /// <summary>Address of the first byte.</summary>
    public nint Address { get; private set; }

    /// <summary>Size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>Returns the content. Only for host memory.</summary>
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
