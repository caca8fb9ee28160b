namespace MuseAtelier.Cuda.Devices;

/// <summary>Counts the device memory that one engine has taken, in bytes. Any thread may count.</summary>
internal sealed class DeviceUsage
{
    private long _bytes;

    /// <summary>Bytes that are taken now.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Counts memory that was taken.</summary>
    public void Take(long bytes) => Interlocked.Add(ref _bytes, bytes);

    /// <summary>Counts memory that was given back.</summary>
    public void GiveBack(long bytes) => Interlocked.Add(ref _bytes, -bytes);
}
