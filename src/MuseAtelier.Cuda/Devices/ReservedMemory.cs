using MuseAtelier.Cuda.Native;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// A fixed range of device addresses whose memory can be freed and allocated again, so that ONNX Runtime's bindings to it stay valid. It
/// starts without memory. The address may be used only while <see cref="IsThere"/>; the content is lost when the memory is freed.
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

    /// <summary>Reserves the addresses, and allocates no memory yet.</summary>
    /// <param name="card">The card's number, as CUDA counts them.</param>
    /// <param name="usage">Counts the memory while it is allocated.</param>
    /// <param name="bytes">The least size in bytes; rounded up to the card's granularity.</param>
    public static ReservedMemory Reserve(int card, DeviceUsage usage, long bytes)
    {
        long granularity = CudaDriver.BlockGranularity(card);
        long whole = (bytes + granularity - 1) / granularity * granularity;
        return new ReservedMemory(card, usage, CudaDriver.ReserveAddresses(whole), whole);
    }

    /// <summary>Address of its first byte; 0 once it is disposed.</summary>
    public nint Address { get; private set; }

    /// <summary>Size in bytes, a multiple of the card's allocation granularity.</summary>
    public long Bytes { get; }

    /// <summary>Whether memory is mapped at the address.</summary>
    public bool IsThere => _block != 0;

    /// <summary>Allocates the memory and maps it, unless it is mapped.</summary>
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

    /// <summary>Frees the memory, if it is mapped. No run and no copy may be using it.</summary>
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
