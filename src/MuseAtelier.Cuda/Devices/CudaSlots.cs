namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// The places in device memory that streamed weights pass through. Components that stream share them, one after the other: whoever
/// used them last knows what lies in them. What runs once a picture and what runs in every step have slots of their own sizes, of which only
/// one kind has memory at a time. Freed when the last component lets go.
/// </summary>
internal sealed class CudaSlots
{
    private readonly ElasticMemory _memory;
    private readonly CudaDevice _device;
    private int _holders;

    public CudaSlots(CudaDevice device, long bytes)
    {
        _device = device;
        Bytes = DeviceMemory.Align(bytes);
        _memory = ElasticMemory.Reserve(device.Card.Index, Bytes * SlotSchedule.Slots);
        Copied = [.. Enumerable.Range(0, SlotSchedule.Slots).Select(_ => new CudaEvent())];
        Ran = [.. Enumerable.Range(0, SlotSchedule.Slots).Select(_ => new CudaEvent())];
    }

    /// <summary>Bytes of one slot.</summary>
    public long Bytes { get; }

    /// <summary>Whether nobody holds them any more.</summary>
    public bool IsFreed { get; private set; }

    /// <summary>For each slot, that the last copy into it is done.</summary>
    public CudaEvent[] Copied { get; }

    /// <summary>For each slot, that the stage that used it last has run.</summary>
    public CudaEvent[] Ran { get; }

    /// <summary>Whose weights lie in them.</summary>
    public CudaWeights? User { get; set; }

    /// <summary>Where a slot begins.</summary>
    public nint Address(int slot) => _memory.Address + (nint)(slot * Bytes);

    /// <summary>Gives up their memory until <see cref="Take"/>. Nothing may be under way.</summary>
    public void GiveUp()
    {
        User = null;
        _memory.GiveUp();
    }

    /// <summary>Whether they have memory.</summary>
    public bool IsThere => _memory.IsThere;

    /// <summary>Takes their memory, if it is not there; the other slots' is given up for it.</summary>
    public void Take()
    {
        if (IsThere) return;
        _device.GiveUpOtherSlots(this);
        _memory.Take();
    }

    /// <summary>Takes part in them until <see cref="LetGo"/>.</summary>
    public CudaSlots Hold()
    {
        _holders++;
        return this;
    }

    /// <summary>Takes part no more. Nothing may be under way.</summary>
    public void LetGo()
    {
        if (--_holders > 0) return;
        IsFreed = true;
        User = null;
        foreach (CudaEvent one in Copied.Concat(Ran)) one.Dispose();
        _memory.Dispose();
    }
}
