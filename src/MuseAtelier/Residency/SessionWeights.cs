using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Residency;

/// <summary>What a component's sessions hold by themselves: constants, where weights are no inputs, and handles of the device's libraries.</summary>
/// <param name="Bytes">Bytes of all of them.</param>
/// <param name="MostBytes">Bytes while they are made one after the other, at most.</param>
/// <param name="RotationBytes">Bytes, at most, when they take turns: one pair held, the next in the making.</param>
/// <param name="Seconds">Seconds that making all of them anew costs.</param>
internal readonly record struct SessionWeights(long Bytes, long MostBytes, long RotationBytes, double Seconds)
{
    /// <summary>Bytes of them that are handles of the device's libraries.</summary>
    public long HandleBytes { get; init; }

    /// <summary>Sessions that take turns and are there at once: a pair that runs, and one in the making.</summary>
    private const int MostAtOnce = 3;

    public static SessionWeights Of(ComponentSpec component, DeviceProfile device)
    {
        long[] constants = [.. component.Stages.Where(SessionRotation.Rotates).Select(stage => stage.ConstantBytes)];
        (SessionCost kept, SessionCost turn) = (device.KeptSessions, device.RotatingSessions);
        int sessions = component.Stages.DistinctBy(stage => stage.Graph).Count(), turning = component.Stages.Where(SessionRotation.Rotates).DistinctBy(stage => stage.Graph).Count();
        long held = sessions * device.SessionBytes, most = held, turnHeld = (sessions - turning + Math.Min(turning, MostAtOnce)) * device.SessionBytes;
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

        return new SessionWeights(held, most, turnHeld + turns, constants.Length * turn.Seconds + constants.Sum() / turn.BytesPerSecond) { HandleBytes = sessions * device.SessionBytes };
    }

    /// <summary>What making them takes beyond what they hold, where a run needs no more than <paramref name="arenaBytes"/>.</summary>
    public long MakingBytes(long arenaBytes) => Math.Max(0, MostBytes - Bytes - arenaBytes);

    private static long Making(long[] pair, SessionCost cost)
    {
        long first = (long)(pair[0] * cost.MakingFactor);
        return pair.Length == 1 ? first : Math.Max(first, (long)(pair[0] * cost.HeldFactor) + (long)(pair[1] * cost.MakingFactor));
    }
}
