namespace MuseAtelier.Server.Requests;

/// <summary>
/// Draws the seed of a request that names none, before its job is accepted. The job and the file's record have it, so that the picture can
/// be repeated.
/// </summary>
internal static class DrawnSeed
{
    /// <summary>A seed of 32 bits, which every other program accepts too.</summary>
    public static ulong Next() => (ulong)Random.Shared.NextInt64(1L << 32);
}
