using System.Runtime.InteropServices;
using MuseAtelier.Framing;
using MuseAtelier.Runtime;

namespace MuseAtelier.Decoding;

/// <summary>A frame in device memory. Its tensors have the names of the framing component's inputs.</summary>
internal sealed class DeviceFrame : IDisposable
{
    private const long Alignment = 256;

    private readonly NativeBuffer _block;
    private readonly Dictionary<string, nint> _addresses = [];

    /// <summary>Copies a frame to the device.</summary>
    public DeviceFrame(FrameOverlay overlay, ExecutionDevice device)
    {
        long columns = Aligned(overlay.Rows.Length * sizeof(long));
        long colour = columns + Aligned(overlay.Columns.Length * sizeof(long));
        long keep = colour + Aligned(overlay.Colour.Length);
        long bytes = keep + Aligned(overlay.Keep.Length);
        using NativeBuffer host = device.AllocateHost(bytes);
        Write(overlay.Rows, 0);
        Write(overlay.Columns, columns);
        Write(overlay.Colour, colour);
        Write(overlay.Keep, keep);
        _block = device.Allocate(bytes);
        _addresses["rows"] = _block.Address;
        _addresses["columns"] = _block.Address + (nint)columns;
        _addresses["colour"] = _block.Address + (nint)colour;
        _addresses["keep"] = _block.Address + (nint)keep;
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

    /// <summary>The device address of each tensor: rows, columns, colour, keep.</summary>
    public IReadOnlyDictionary<string, nint> Addresses => _addresses;

    /// <inheritdoc/>
    public void Dispose() => _block.Dispose();

    private static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}
