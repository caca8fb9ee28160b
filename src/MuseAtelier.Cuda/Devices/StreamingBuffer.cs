namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// The window of device memory that streamed weights pass through. Components that stream share it, one after the other: whoever used it last
/// knows what lies in it. What runs once a pass and what runs in every step have windows of their own sizes, of which only one has memory
/// at a time. Freed when the last component lets go.
/// </summary>
internal sealed class StreamingBuffer
{
    private readonly ReservedMemory _memory;
    private readonly CudaDevice _device;
    private int _holders;

    /// <summary>Takes the addresses, and no memory.</summary>
    public StreamingBuffer(CudaDevice device, long bytes)
    {
        (_device, Bytes) = (device, bytes);
        _memory = ReservedMemory.Reserve(device.Card.Index, device.Usage, bytes);
    }

    /// <summary>How large it is.</summary>
    public long Bytes { get; }

    /// <summary>Where it begins.</summary>
    public nint Address => _memory.Address;

    /// <summary>Whether it has memory.</summary>
    public bool IsThere => _memory.IsThere;

    /// <summary>Whether nobody holds it any more.</summary>
    public bool IsFreed { get; private set; }

    /// <summary>Whose weights lie in it.</summary>
    public CudaWeights? User { get; set; }

    /// <summary>Gives up its memory until <see cref="Take"/>. Nothing may be under way.</summary>
    public void GiveUp()
    {
        User = null;
        _memory.GiveUp();
    }

    /// <summary>Takes its memory, if it is not there; the other window's is given up for it.</summary>
    public void Take()
    {
        if (IsThere) return;
        _device.GiveUpOtherBuffers(this);
        _memory.Take();
    }

    /// <summary>Takes part in it until <see cref="Release"/>.</summary>
    public StreamingBuffer Hold()
    {
        _holders++;
        return this;
    }

    /// <summary>Takes part no more. Nothing may be under way.</summary>
    public void Release()
    {
        if (--_holders > 0) return;
        IsFreed = true;
        User = null;
        _memory.Dispose();
    }
}
