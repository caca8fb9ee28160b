using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// Pinned memory for copies between host and device. Allocating it for each picture would cost the driver more time than the copies, so a
/// buffer that is returned is kept for the next request of the same size, up to 64 MiB in all. Must be used on the engine's thread.
/// </summary>
internal sealed class PinnedPool : IDisposable
{
    private const long MostKept = 64 << 20;

    private readonly Dictionary<long, Stack<PinnedBuffer>> _kept = [];
    private long _keptBytes;
    private bool _disposed;

    /// <summary>Gives a buffer of exactly the requested size; the caller disposes it, which returns it to the pool.</summary>
    /// <param name="bytes">Size in bytes.</param>
    /// <exception cref="CudaException">The system has no more pinned memory.</exception>
    public NativeBuffer Take(long bytes)
    {
        if (_kept.TryGetValue(bytes, out Stack<PinnedBuffer>? same) && same.TryPop(out PinnedBuffer? buffer)) _keptBytes -= buffer.Bytes;
        else buffer = new PinnedBuffer(Math.Max(bytes, 1));
        return new NativeBuffer(buffer.Address, bytes, _ => GiveBack(bytes, buffer));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        foreach (PinnedBuffer buffer in _kept.Values.SelectMany(buffers => buffers)) buffer.Dispose();
        _kept.Clear();
    }

    private void GiveBack(long bytes, PinnedBuffer buffer)
    {
        if (_disposed || _keptBytes + buffer.Bytes > MostKept)
        {
            buffer.Dispose();
            return;
        }

        if (!_kept.TryGetValue(bytes, out Stack<PinnedBuffer>? same)) _kept[bytes] = same = new Stack<PinnedBuffer>();
        same.Push(buffer);
        _keptBytes += buffer.Bytes;
    }
}
