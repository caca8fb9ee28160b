using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>The owner of the weights that lie in a streaming buffer.</summary>
internal interface IStreamingBufferUser
{
    /// <summary>
    /// Waits until all requested copies into the buffer are queued on the copy stream. Copies that fail here belong to no current run.
    /// </summary>
    void Drain();
}

/// <summary>
/// The device memory into which streamed weights are copied. It starts without memory. Several users may hold it and use it one after
/// the other; only the present user knows its content. The buffer is freed when its last holder releases it.
/// </summary>
internal sealed class StreamingBuffer
{
    private readonly ReservedMemory _memory;
    private int _holders;

    /// <summary>Reserves the addresses, and allocates no memory yet.</summary>
    /// <param name="card">The card on which it lies.</param>
    /// <param name="bytes">Size in bytes.</param>
    public StreamingBuffer(CardResources card, long bytes)
    {
        Bytes = bytes;
        _memory = ReservedMemory.Reserve(card.Card, card.Usage, bytes);
    }

    /// <summary>Size in bytes.</summary>
    public long Bytes { get; }

    /// <summary>Address of its first byte.</summary>
    public nint Address => _memory.Address;

    /// <summary>Whether it has memory.</summary>
    public bool IsThere => _memory.IsThere;

    /// <summary>Whether all holders have released it.</summary>
    public bool IsFreed { get; private set; }

    /// <summary>The owner of the weights that lie in it; null if there is none.</summary>
    public IStreamingBufferUser? User { get; set; }

    /// <summary>Allocates its memory, if it has none.</summary>
    /// <exception cref="DeviceMemoryException">The device's memory is used up.</exception>
    public void Take() => _memory.Take();

    /// <summary>Frees its memory until <see cref="Take"/>. No run and no copy may be using it.</summary>
    public void GiveUp()
    {
        User = null;
        _memory.GiveUp();
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
