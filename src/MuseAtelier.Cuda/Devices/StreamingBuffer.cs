namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// The device memory that streamed weights pass through. Components that stream share one buffer and use it one after the other; the
/// component that used it last knows what lies in it. Components that run once a batch and components that run in every step have separate
/// buffers, each of its own size, and only one of the two has memory at a time. The buffer is freed when its last component releases it.
/// </summary>
internal sealed class StreamingBuffer
{
    private readonly ReservedMemory _memory;
    private readonly CudaDevice _device;
    private int _holders;

    /// <summary>Reserves the addresses, and takes no memory yet.</summary>
    public StreamingBuffer(CudaDevice device, long bytes)
    {
        (_device, Bytes) = (device, bytes);
        _memory = ReservedMemory.Reserve(device.Card.Index, device.Usage, bytes);
    }

    /// <summary>Size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>Address of its first byte.</summary>
    public nint Address => _memory.Address;

    /// <summary>Whether it has memory.</summary>
    public bool IsThere => _memory.IsThere;

    /// <summary>Whether all components have released it.</summary>
    public bool IsFreed { get; private set; }

    /// <summary>The component whose weights lie in it; null where there is none.</summary>
    public CudaWeights? User { get; set; }

    /// <summary>Frees its memory until <see cref="Take"/>. No run and no copy may be using it.</summary>
    public void GiveUp()
    {
        User = null;
        _memory.GiveUp();
    }

    /// <summary>Takes its memory, if it has none; the other buffer's memory is freed first.</summary>
    public void Take()
    {
        if (IsThere) return;
        _device.GiveUpOtherBuffers(this);
        _memory.Take();
    }

    /// <summary>Adds a holder, which must call <see cref="Release"/> once.</summary>
    public StreamingBuffer Hold()
    {
        _holders++;
        return this;
    }

    /// <summary>Removes a holder. No run and no copy may be using the buffer.</summary>
    public void Release()
    {
        if (--_holders > 0) return;
        IsFreed = true;
        User = null;
        _memory.Dispose();
    }
}
