namespace MuseAtelier.Cuda.Devices;

/// <summary>Counts the device memory that one engine has allocated, in bytes. Every member may be called on any thread.</summary>
internal sealed class DeviceUsage
{
    private long _bytes;

    /// <summary>Bytes that are allocated now.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Adds bytes that were allocated.</summary>
    public void Take(long bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <summary>Subtracts bytes that were freed.</summary>
    public void GiveBack(long bytes) => Interlocked.Add(ref _bytes, -bytes);
}
