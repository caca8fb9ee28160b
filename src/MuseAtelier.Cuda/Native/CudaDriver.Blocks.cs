using System.Runtime.InteropServices;

namespace MuseAtelier.Cuda.Native;

/// <summary>
/// The functions of the driver's interface that allocate blocks of memory separately from the addresses at which they are mapped.
/// </summary>
internal static unsafe partial class CudaDriver
{
    private const int ErrorOutOfMemory = 2;
    private const int PinnedBlock = 1, OnDevice = 1, ReadAndWrite = 3;
    private const int LeastGranularity = 0;

    /// <summary>The size of every block must be a multiple of this many bytes.</summary>
    public static long BlockGranularity(int card)
    {
        BlockProperties properties = PropertiesOf(card);
        Check(MemGetAllocationGranularity(out nuint bytes, &properties, LeastGranularity), "cuMemGetAllocationGranularity");
        return (long)bytes;
    }

    /// <summary>Reserves a range of addresses without memory.</summary>
    public static nint ReserveAddresses(long bytes)
    {
        Check(MemAddressReserve(out ulong address, (nuint)bytes, 0, 0, 0), "cuMemAddressReserve");
        return (nint)address;
    }

    /// <summary>Frees a range of addresses. No block may be mapped there.</summary>
    public static void FreeAddresses(nint address, long bytes) => _ = MemAddressFree((ulong)address, (nuint)bytes);

    /// <summary>Allocates a block of a card's memory.</summary>
    /// <exception cref="DeviceMemoryException">The card's memory is used up.</exception>
    public static ulong TakeBlock(int card, long bytes)
    {
        BlockProperties properties = PropertiesOf(card);
        Check(MemCreate(out ulong block, (nuint)bytes, &properties, 0), "cuMemCreate", bytes);
        return block;
    }

    /// <summary>Maps a block at an address, for its card to read and write.</summary>
    public static void MapBlock(int card, nint address, long bytes, ulong block)
    {
        Check(MemMap((ulong)address, (nuint)bytes, 0, block, 0), "cuMemMap");
        var access = new BlockAccess { Location = new BlockLocation { Type = OnDevice, Id = card }, Flags = ReadAndWrite };
        int code = MemSetAccess((ulong)address, (nuint)bytes, &access, 1);
        if (code == Success) return;
        UnmapBlock(address, bytes);
        Check(code, "cuMemSetAccess");
    }

    /// <summary>Unmaps the block at an address.</summary>
    public static void UnmapBlock(nint address, long bytes) => _ = MemUnmap((ulong)address, (nuint)bytes);

    /// <summary>Frees a block, which must not be mapped.</summary>
    public static void FreeBlock(ulong block) => _ = MemRelease(block);

    /// <summary>Throws if a call failed.</summary>
    /// <param name="code">The code that the call returned.</param>
    /// <param name="call">The call's name.</param>
    /// <param name="bytes">Bytes that the call was to allocate; 0 where it allocates none.</param>
    /// <exception cref="DeviceMemoryException">The card's memory is used up.</exception>
    /// <exception cref="CudaException">The call failed for another reason.</exception>
    public static void Check(int code, string call, long bytes = 0)
    {
        if (code == Success) return;
        if (code != ErrorOutOfMemory) throw CudaException.OfDriver(call, code);
        string need = bytes > 0 ? FormattableString.Invariant($"where {bytes >> 20} MiB are needed") : $"for {call}";
        throw new DeviceMemoryException($"the device has not enough memory free {need}");
    }

    private static BlockProperties PropertiesOf(int card) =>
        new() { Type = PinnedBlock, Location = new BlockLocation { Type = OnDevice, Id = card } };

    [LibraryImport(Library, EntryPoint = "cuMemGetAllocationGranularity")]
    private static partial int MemGetAllocationGranularity(out nuint bytes, BlockProperties* properties, int option);

    [LibraryImport(Library, EntryPoint = "cuMemAddressReserve")]
    private static partial int MemAddressReserve(out ulong address, nuint bytes, nuint alignment, ulong wanted, ulong flags);

    [LibraryImport(Library, EntryPoint = "cuMemAddressFree")]
    private static partial int MemAddressFree(ulong address, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cuMemCreate")]
    private static partial int MemCreate(out ulong block, nuint bytes, BlockProperties* properties, ulong flags);

    [LibraryImport(Library, EntryPoint = "cuMemMap")]
    private static partial int MemMap(ulong address, nuint bytes, nuint offset, ulong block, ulong flags);

    [LibraryImport(Library, EntryPoint = "cuMemSetAccess")]
    private static partial int MemSetAccess(ulong address, nuint bytes, BlockAccess* access, nuint count);

    [LibraryImport(Library, EntryPoint = "cuMemUnmap")]
    private static partial int MemUnmap(ulong address, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cuMemRelease")]
    private static partial int MemRelease(ulong block);

    // CUmemLocation: the device that memory lies on.
    private struct BlockLocation
    {
        public int Type;
        public int Id;
    }

    // CUmemAllocationProp; a member that is zero requests the default.
    private struct BlockProperties
    {
        public int Type;
        public int HandleTypes;
        public BlockLocation Location;
        public nint Win32Metadata;
        public ulong Flags;
    }

    // CUmemAccessDesc.
    private struct BlockAccess
    {
        public BlockLocation Location;
        public int Flags;
    }
}
