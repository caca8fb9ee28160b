using MuseAtelier.Storms.Running;

namespace MuseAtelier.Tests.Support;

// The checkpoint that lies beside the program.
internal sealed partial class RawCheckpoint
{
    /// <summary>Reads the Miniature.</summary>
    public static RawCheckpoint Miniature() => Read(StormFolder.Miniature);
}
