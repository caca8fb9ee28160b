using MuseAtelier.Tests.Support;

[assembly: AssemblyFixture(typeof(NarrowAtelier))]

namespace MuseAtelier.Tests.Support;

/// <summary>
/// The Miniature with half of its channels, which paints in a third of the time: for tests of everything but what pictures show, such as
/// queues, progress, cancelling, memory, records and whether two ways give the same bytes.
/// </summary>
public sealed class NarrowAtelier() : SharedAtelier(() => Checkpoint)
{
    private static readonly Lazy<string> File = new(
        () => NarrowCheckpoint.Write(TestAtelier.Checkpoint, Path.Combine(RunFolder.Create("muse-narrow-"), NarrowCheckpoint.Name)));

    /// <summary>The checkpoint, which is written once in a run of the tests.</summary>
    public static string Checkpoint => File.Value;
}
