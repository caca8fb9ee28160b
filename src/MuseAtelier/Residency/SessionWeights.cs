using MuseAtelier.Packages;

namespace MuseAtelier.Residency;

/// <summary>What a component's sessions hold.</summary>
/// <param name="Bytes">Bytes of all of them.</param>
/// <param name="MostBytes">Bytes while they are made one after the other, at most.</param>
/// <param name="TurnBytes">Bytes, at most, when they take turns: one pair held, the next in the making.</param>
/// <param name="Seconds">Seconds that making all of them anew costs.</param>
internal readonly record struct SessionWeights(long Bytes, long MostBytes, long TurnBytes, double Seconds)
{
    public static SessionWeights Of(ComponentSpec component, DeviceProfile device)
    {
        long[] constants = [.. component.Stages.Where(stage => stage.ConstantBytes > 0).Select(stage => stage.ConstantBytes)];
        (SessionCost kept, SessionCost turn) = (device.KeptSessions, device.TurnSessions);
        long held = 0, most = 0;
        foreach (long bytes in constants)
        {
            most = Math.Max(most, held + (long)(bytes * kept.MakingFactor));
            held += (long)(bytes * kept.HeldFactor);
        }

        long[][] pairs = [.. constants.Chunk(2)];
        long turns = 0;
        for (int i = 0; i < pairs.Length; i++)
        {
            long running = pairs.Length == 1 ? 0 : (long)(pairs[i].Sum() * turn.HeldFactor);
            turns = Math.Max(turns, running + Making(pairs[(i + 1) % pairs.Length], turn));
        }

        return new SessionWeights(held, most, turns, constants.Length * turn.Seconds + constants.Sum() / turn.BytesPerSecond);
    }

    /// <summary>What making them takes beyond what they hold, where a run needs no more than <paramref name="arenaBytes"/>.</summary>
    public long MakingBytes(long arenaBytes) => Math.Max(0, MostBytes - Bytes - arenaBytes);

    private static long Making(long[] pair, SessionCost cost)
    {
        long first = (long)(pair[0] * cost.MakingFactor);
        return pair.Length == 1 ? first : Math.Max(first, (long)(pair[0] * cost.HeldFactor) + (long)(pair[1] * cost.MakingFactor));
    }
}
