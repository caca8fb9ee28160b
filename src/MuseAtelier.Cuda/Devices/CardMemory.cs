using System.Collections.Concurrent;
using MuseAtelier.Cuda.Native;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// The memory that this process holds on a card, including its context and libraries. The figure is the driver's count for the process,
/// else Windows' count, else the growth of the whole card's use since before this process used the card. That growth includes memory that
/// other programs take meanwhile; it is needed in containers, whose process numbers differ from the system's. Every member may be called on
/// any thread.
/// </summary>
internal sealed class CardMemory
{
    private static readonly ConcurrentDictionary<int, Lazy<CardMemory>> Cards = new();

    private readonly nint _device;
    private readonly long _before;
    private readonly int _card;
    private readonly VideoMemory? _videoMemory;

    private CardMemory(int card)
    {
        _card = card;
        _device = CudaDriver.PciBusId(card) is { } id ? Nvml.Device(id) : 0;
        _videoMemory = VideoMemory.Of(card);
        _before = Nvml.UsedBytes(_device) ?? 0;
        if (Nvml.ProcessBytes(_device, Environment.ProcessId) is { } own) _before -= own;
    }

    /// <summary>
    /// The instance of a card. The first call must come before the process uses the card, because where the driver does not tell processes
    /// apart, the memory that others hold at that call is the origin of every later figure.
    /// </summary>
    public static CardMemory Of(int card) => Cards.GetOrAdd(card, static card => new Lazy<CardMemory>(() => new CardMemory(card))).Value;

    /// <summary>Bytes that the process holds; null where neither the driver nor Windows reports them.</summary>
    public long? ProcessBytes() =>
        Nvml.ProcessBytes(_device, Environment.ProcessId) ?? _videoMemory?.Read()?.Used ?? (Nvml.UsedBytes(_device) - _before);

    /// <summary>
    /// Bytes that are free on the card, as CUDA counts them; on Windows at most what the process's budget still leaves.
    /// </summary>
    public long FreeBytes()
    {
        CudaRuntime.Check(CudaRuntime.SetDevice(_card), nameof(CudaRuntime.SetDevice));
        CudaRuntime.Check(CudaRuntime.MemGetInfo(out nuint free, out _), nameof(CudaRuntime.MemGetInfo));
        // Above the budget, Windows silently moves memory to the host, where it is many times slower.
        return _videoMemory?.Read() is var (budget, used) ? Math.Min((long)free, Math.Max(0, budget - used)) : (long)free;
    }
}
