using System.Collections.Concurrent;
using MuseAtelier.Cuda.Native;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// What this process holds on a card: context, libraries and all. As the driver counts it by process, else as Windows does, else what the
/// whole
/// card holds more than before, which takes in what other programs do meanwhile (containers number processes by themselves). Any thread
/// may ask.
/// </summary>
internal sealed class CardMemory
{
    private static readonly ConcurrentDictionary<int, Lazy<CardMemory>> Cards = new();

    private readonly nint _device;
    private readonly long _before;
    private readonly int _card;
    private readonly VideoMemory? _buffers;

    private CardMemory(int card)
    {
        _card = card;
        _device = CudaDriver.PciBusId(card) is { } id ? Nvml.Device(id) : 0;
        _buffers = VideoMemory.Of(card);
        _before = Nvml.UsedBytes(_device) ?? 0;
        if (Nvml.ProcessBytes(_device, Environment.ProcessId) is { } own) _before -= own;
    }

    /// <summary>
    /// The one of a card. It must first be asked for before the process uses the card: where the driver does not tell processes apart,
    /// what others hold
    /// then is the origin of every later figure.
    /// </summary>
    public static CardMemory Of(int card) => Cards.GetOrAdd(card, static card => new Lazy<CardMemory>(() => new CardMemory(card))).Value;

    /// <summary>Bytes that the process holds; null where nobody tells.</summary>
    public long? ProcessBytes() =>
        Nvml.ProcessBytes(_device, Environment.ProcessId) ?? _buffers?.Read()?.Used ?? (Nvml.UsedBytes(_device) - _before);

    /// <summary>
    /// Bytes that are free on the card, as CUDA counts; on Windows no more than what the system still gives this process.
    /// </summary>
    public long FreeBytes()
    {
        CudaRuntime.Check(CudaRuntime.SetDevice(_card), nameof(CudaRuntime.SetDevice));
        CudaRuntime.Check(CudaRuntime.MemGetInfo(out nuint free, out _), nameof(CudaRuntime.MemGetInfo));
        // Above its budget Windows moves memory to the machine's own in silence, where it is many times slower.
        return _buffers?.Read() is var (budget, used) ? Math.Min((long)free, Math.Max(0, budget - used)) : (long)free;
    }
}
