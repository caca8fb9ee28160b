using System.Collections.Concurrent;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>One gate for each card that the process uses. The key is the card's number, as CUDA counts them.</summary>
internal static class CardGates
{
    private static readonly ConcurrentDictionary<int, DeviceGate> Gates = new();

    /// <summary>The card's gate.</summary>
    public static DeviceGate Of(int card) => Gates.GetOrAdd(card, static _ => new DeviceGate());
}
