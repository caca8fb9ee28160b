using System.Runtime.InteropServices;
using MuseAtelier.Runtime;

namespace MuseAtelier.Framing;

/// <summary>A frame in device memory, under the names that the framing component gives its inputs.</summary>
internal sealed class DeviceFrame : IDisposable
{
    private const long Alignment = 256;

    private readonly NativeBuffer _block;
    private readonly Dictionary<string, nint> _addresses = [];

    /// <summary>Sends a frame to the device.</summary>
    public DeviceFrame(FrameOverlay overlay, ExecutionDevice device)
    {
        long columns = Aligned(overlay.Rows.Length * sizeof(long)), colour = columns + Aligned(overlay.Columns.Length * sizeof(long));
        long keep = colour + Aligned(overlay.Colour.Length), bytes = keep + Aligned(overlay.Keep.Length);
        using NativeBuffer host = device.AllocateHost(bytes);
        Write(overlay.Rows, 0);
        Write(overlay.Columns, columns);
        Write(overlay.Colour, colour);
        Write(overlay.Keep, keep);
        _block = device.Allocate(bytes);
        (_addresses["rows"], _addresses["columns"]) = (_block.Address, _block.Address + (nint)columns);
        (_addresses["colour"], _addresses["keep"]) = (_block.Address + (nint)colour, _block.Address + (nint)keep);
        try
        {
            device.Upload(host.Address, _block.Address, bytes);
            device.Synchronize();
        }
        catch
        {
            _block.Dispose();
            throw;
        }

        void Write<T>(T[] values, long offset)
            where T : unmanaged => MemoryMarshal.AsBytes<T>(values).CopyTo(host.AsSpan<byte>()[(int)offset..]);
    }

    /// <summary>Device address of each tensor: rows, columns, colour, keep.</summary>
    public IReadOnlyDictionary<string, nint> Addresses => _addresses;

    /// <inheritdoc/>
    public void Dispose() => _block.Dispose();

    private static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}
