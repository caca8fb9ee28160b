using MuseAtelier.Cuda.Native;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// Device memory that can be given up and taken again and lies at the same address each time, so that what is bound to it stays bound. It
/// begins without any memory. The address may be used only while <see cref="IsThere"/>; what lay there is lost when it is given up.
/// </summary>
internal sealed class ReservedMemory : IDisposable
{
    private readonly int _card;
    private readonly DeviceUsage _usage;
    private ulong _block;

    private ReservedMemory(int card, DeviceUsage usage, nint address, long bytes)
    {
        (_card, _usage) = (card, usage);
        (Address, Bytes) = (address, bytes);
    }

    /// <summary>Takes the addresses, and no memory.</summary>
    /// <param name="card">The card's number, as CUDA counts them.</param>
    /// <param name="usage">Counts the memory while it is there.</param>
    /// <param name="bytes">Bytes that are needed at least.</param>
    public static ReservedMemory Reserve(int card, DeviceUsage usage, long bytes)
    {
        long granularity = CudaDriver.BlockGranularity(card), whole = (bytes + granularity - 1) / granularity * granularity;
        return new ReservedMemory(card, usage, CudaDriver.ReserveAddresses(whole), whole);
    }

    /// <summary>Where it begins.</summary>
    public nint Address { get; private set; }

    /// <summary>Size in bytes, a multiple of what the card gives at a time.</summary>
    public long Bytes { get; }

    /// <summary>Whether there is memory behind the address.</summary>
    public bool IsThere => _block != 0;

    /// <summary>Takes the memory, if it is not there.</summary>
    /// <exception cref="DeviceMemoryException">The device's memory is used up.</exception>
    public void Take()
    {
        if (IsThere) return;
        ulong block = CudaDriver.TakeBlock(_card, Bytes);
        try
        {
            CudaDriver.MapBlock(_card, Address, Bytes, block);
        }
        catch
        {
            CudaDriver.FreeBlock(block);
            throw;
        }

        _block = block;
        _usage.Take(Bytes);
    }

    /// <summary>Gives the memory back, if it is there. Nothing that uses it may be under way.</summary>
    public void GiveUp()
    {
        if (!IsThere) return;
        CudaDriver.UnmapBlock(Address, Bytes);
        CudaDriver.FreeBlock(_block);
        _block = 0;
        _usage.GiveBack(Bytes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Address == 0) return;
        GiveUp();
        CudaDriver.FreeAddresses(Address, Bytes);
        Address = 0;
    }
}
