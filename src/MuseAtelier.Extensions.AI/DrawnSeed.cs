namespace MuseAtelier.Extensions.AI;

/// <summary>
/// Draws the seed of a call that names none. The response and the file's record have it, so that the picture can be repeated.
/// </summary>
internal static class DrawnSeed
{
    /// <summary>A seed of 32 bits, which all noise sources use whole.</summary>
    public static ulong Next() => (ulong)Random.Shared.NextInt64(1L << 32);
}
