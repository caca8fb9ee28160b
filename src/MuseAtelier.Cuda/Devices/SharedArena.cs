using Microsoft.ML.OnnxRuntime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// A card's arena, from which all sessions of the process take their working memory, except those with an arena of their own. Separate
/// arenas would each keep their own peak. The arena exists while an engine holds it, and frees all its memory when the last engine is
/// disposed.
/// </summary>
internal sealed class SharedArena : IDisposable
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<int, int> Holders = [];
    private static readonly Dictionary<SharedArena, long> Constants = [];

    private readonly int _card;
    private int _disposed;

    /// <summary>Holds the card's arena, and creates it if no other engine holds it.</summary>
    /// <param name="card">The card's number, as CUDA counts them.</param>
    public SharedArena(int card)
    {
        _card = card;
        lock (Gate)
        {
            int holders = Holders.GetValueOrDefault(card);
            if (holders == 0)
            {
                using OrtMemoryInfo memory = Info(card);
                // The arena must grow by the requested size, because doubling would leave up to half of it unused.
                const int sameAsRequested = 1, unset = -1;
                using var arena = new OrtArenaCfg(0, sameAsRequested, unset, unset);
                var provider = new Dictionary<string, string> { ["device_id"] = FormattableString.Invariant($"{card}") };
                OrtEnv.Instance().CreateAndRegisterAllocator("CUDAExecutionProvider", memory, arena, provider);
            }

            Holders[card] = holders + 1;
        }
    }

    /// <summary>Bytes of the arena, less the constants that sessions of other engines hold there.</summary>
    /// <param name="constantBytes">Bytes of constants that sessions of this engine hold there; remembered for the other engines.</param>
    /// <param name="heldBytes">Bytes that the arena holds in all; null where its statistics are not available.</param>
    public long BytesWithout(long constantBytes, long? heldBytes)
    {
        lock (Gate)
        {
            Constants[this] = constantBytes;
            long others = Constants.Where(other => other.Key._card == _card && other.Key != this).Sum(other => other.Value);
            return heldBytes is { } held ? Math.Max(constantBytes, held - others) : constantBytes;
        }
    }

    /// <summary>Whether any engine of the process holds the card's arena.</summary>
    public static bool HasHolders(int card)
    {
        lock (Gate) return Holders.GetValueOrDefault(card) > 0;
    }

    /// <summary>ONNX Runtime's description of the arena; the caller disposes it.</summary>
    public static OrtMemoryInfo Info(int card) =>
        new(OrtMemoryInfo.allocatorCUDA, OrtAllocatorType.ArenaAllocator, card, OrtMemType.Default);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        lock (Gate)
        {
            Constants.Remove(this);
            if (--Holders[_card] > 0) return;
            using OrtMemoryInfo memory = Info(_card);
            OrtEnv.Instance().UnregisterAllocator(memory);
        }
    }
}
