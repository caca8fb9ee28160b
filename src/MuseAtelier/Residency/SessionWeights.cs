using MuseAtelier.Format;
using MuseAtelier.Runtime;

namespace MuseAtelier.Residency;

/// <summary>
/// Memory and time of a component's sessions: their constants, where weights are not inputs, and the handles of the device's libraries.
/// </summary>
/// <param name="Bytes">Bytes that all sessions hold.</param>
/// <param name="MostBytes">The peak in bytes while the sessions are created one after the other.</param>
/// <param name="RotationBytes">The peak in bytes when the sessions rotate: one pair is held while the next one is created.</param>
/// <param name="Seconds">Seconds to create all sessions.</param>
internal readonly record struct SessionWeights(long Bytes, long MostBytes, long RotationBytes, double Seconds)
{
    /// <summary>The part of <see cref="Bytes"/> that is handles of the device's libraries.</summary>
    public long HandleBytes { get; init; }

    /// <summary>Rotating sessions that exist at once: a pair that runs, and one that is being created.</summary>
    private const int MostAtOnce = 3;

    /// <summary>The sessions of a component on a device.</summary>
    public static SessionWeights Of(ComponentSpec component, DeviceProfile device)
    {
        long[] constants = [.. component.Stages.Where(Rotates).Select(stage => stage.ConstantBytes)];
        int sessions = component.Stages.DistinctBy(stage => stage.Graph).Count();
        int rotating = component.Stages.Where(Rotates).DistinctBy(stage => stage.Graph).Count();
        int rotatingAtOnce = sessions - rotating + Math.Min(rotating, MostAtOnce);
        SessionCost rotation = device.RotatingSessions;
        (long held, long most) = KeptBytes(constants, sessions * device.SessionBytes, device.KeptSessions);
        return new SessionWeights(
            held,
            most,
            rotatingAtOnce * device.SessionBytes + RotatingBytes(constants, rotation),
            constants.Length * rotation.Seconds + constants.Sum() / rotation.BytesPerSecond)
        {
            HandleBytes = sessions * device.SessionBytes,
        };
    }

    /// <summary>The peak in bytes while the sessions are created, beyond what they hold and beyond a run's working memory.</summary>
    /// <param name="arenaBytes">Bytes of a run's working memory.</param>
    public long MakingBytes(long arenaBytes) => Math.Max(0, MostBytes - Bytes - arenaBytes);

    /// <summary>Whether a stage's session rotates. Sessions of transformer stages do not, because they hold no weights.</summary>
    public static bool Rotates(StageSpec stage) => stage.Kind == StageKind.Convolution;

    // Sessions that stay are created one after the other: each one's peak comes on top of those created before.
    private static (long Held, long Most) KeptBytes(long[] constants, long handleBytes, SessionCost cost)
    {
        long held = handleBytes;
        long most = held;
        foreach (long bytes in constants)
        {
            most = Math.Max(most, held + (long)(bytes * cost.MakingFactor));
            held += (long)(bytes * cost.HeldFactor);
        }

        return (held, most);
    }

    // While one pair runs, the next pair is created, after the last pair the first one again.
    private static long RotatingBytes(long[] constants, SessionCost cost)
    {
        long[][] pairs = [.. constants.Chunk(2)];
        long most = 0;
        for (int i = 0; i < pairs.Length; i++)
        {
            long running = pairs.Length == 1 ? 0 : (long)(pairs[i].Sum() * cost.HeldFactor);
            most = Math.Max(most, running + CreationBytes(pairs[(i + 1) % pairs.Length], cost));
        }

        return most;
    }

    private static long CreationBytes(long[] pair, SessionCost cost)
    {
        long first = (long)(pair[0] * cost.MakingFactor);
        return pair.Length == 1 ? first : Math.Max(first, (long)(pair[0] * cost.HeldFactor) + (long)(pair[1] * cost.MakingFactor));
    }
}
