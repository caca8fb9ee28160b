namespace MuseAtelier.Tests.Support;

// The repository's checkpoint, and the narrow one.
internal sealed partial class RawCheckpoint
{
    /// <summary>Reads the Miniature.</summary>
    public static RawCheckpoint Miniature() => Read(TestAtelier.Checkpoint);

    /// <summary>Reads the narrow checkpoint.</summary>
    public static RawCheckpoint Narrow() => Read(NarrowAtelier.Checkpoint);
}
