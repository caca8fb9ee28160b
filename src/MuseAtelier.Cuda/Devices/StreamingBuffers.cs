using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// The streaming buffers of an engine on a card: one for components that run in every step, and one for those that run once a batch. Each
/// has a size of its own, and only one of the two has memory at a time, because the components never run together.
/// </summary>
/// <param name="card">The card on which the buffers lie.</param>
internal sealed class StreamingBuffers(CardResources card)
{
    private readonly Dictionary<bool, StreamingBuffer> _buffers = [];

    /// <summary>
    /// Holds a buffer. All callers get the same buffer while it is large enough; the caller releases it.
    /// </summary>
    /// <param name="everyStep">Whether the component runs in every step.</param>
    /// <param name="bytes">The least size in bytes.</param>
    public StreamingBuffer Hold(bool everyStep, long bytes)
    {
        bool isThere = _buffers.TryGetValue(everyStep, out StreamingBuffer? buffer);
        if (!isThere || buffer!.IsFreed || buffer.Bytes < bytes) _buffers[everyStep] = buffer = new StreamingBuffer(card, bytes);
        return buffer.Hold();
    }

    /// <summary>
    /// Allocates a buffer's memory, if it has none, and makes the caller its user. The memory of other buffers is freed first.
    /// </summary>
    /// <param name="buffer">A buffer that the user holds.</param>
    /// <param name="user">The new user.</param>
    /// <returns>
    /// Whether the user is the same as before. If not, the buffer holds other weights, and all copies of the former user are queued.
    /// </returns>
    /// <exception cref="DeviceMemoryException">The device's memory is used up.</exception>
    public bool Claim(StreamingBuffer buffer, IStreamingBufferUser user)
    {
        if (!buffer.IsThere)
        {
            GiveUpOthers(buffer);
            buffer.Take();
        }

        if (buffer.User == user) return true;
        // The former user's staging thread may still be copying into the buffer.
        buffer.User?.Drain();
        buffer.User = user;
        return false;
    }

    // The work that uses a buffer must be done before its memory is freed.
    private void GiveUpOthers(StreamingBuffer kept)
    {
        foreach (StreamingBuffer other in _buffers.Values)
        {
            if (other == kept || other.IsFreed || !other.IsThere) continue;
            other.User?.Drain();
            card.Synchronize();
            other.GiveUp();
        }
    }
}
