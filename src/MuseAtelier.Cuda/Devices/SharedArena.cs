using Microsoft.ML.OnnxRuntime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>
/// The one arena of a card that all sessions of the process but those with their own take their working memory from: each by itself would keep its own peak. It is
/// there while anyone holds it, and gives all back when the last lets go.
/// </summary>
internal sealed class SharedArena : IDisposable
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<int, int> Holders = [];
    private static readonly Dictionary<SharedArena, long> Constants = [];

    private readonly int _card;
    private int _disposed;

    public SharedArena(int card)
    {
        _card = card;
        lock (Gate)
        {
            int holders = Holders.GetValueOrDefault(card);
            if (holders == 0)
            {
                using OrtMemoryInfo memory = Info(card);
                // Grown by what is asked for: doubling would leave up to half of it unused.
                const int sameAsRequested = 1, unset = -1;
                using var arena = new OrtArenaCfg(0, sameAsRequested, unset, unset);
                OrtEnv.Instance().CreateAndRegisterAllocator("CUDAExecutionProvider", memory, arena, new Dictionary<string, string> { ["device_id"] = FormattableString.Invariant($"{card}") });
            }

            Holders[card] = holders + 1;
        }
    }

    /// <summary>Bytes of the arena without what sessions of other engines hold there.</summary>
    /// <param name="constantBytes">Bytes of constants that sessions of this engine hold; remembered for the other engines.</param>
    /// <param name="heldBytes">Bytes that the arena holds in all; null where it has not been asked yet.</param>
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

    /// <summary>How the arena is named; the caller disposes it.</summary>
    public static OrtMemoryInfo Info(int card) => new(OrtMemoryInfo.allocatorCUDA, OrtAllocatorType.ArenaAllocator, card, OrtMemType.Default);

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
