using MuseAtelier.Tests.Server;
using MuseAtelier.Tests.Support;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace MuseAtelier.Tests.Support;

/// <summary>
/// Begins with the classes that take longest, so that none of them runs alone at the end. A class runs its tests one after the other, and
/// as many classes run at the same time as xunit.runner.json says: more than there are processors, because many tests wait for a shared
/// atelier or for another process.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    // By measured time. Those that wait for processes, those of each shared atelier, and those of ateliers of their own take turns.
    private static readonly string[] Longest =
    [
        "ProcessTests", ClientServer.Name, "PromptsOverStepsTests", "CheckpointLayoutTests", "SamplerPictureTests", "CpuThreadsTests",
        "ReferenceCheckTests", "PrecisionTests", "PackageCacheTests", "BatchTests", "OverlayTests", "CheckpointExporterTests",
        "PictureVerifierTests", "ShortMemoryTests", "ModelPredictionTests", "AtelierTests", "AtelierLifetimeTests",
        "LongPromptPictureTests", "ResidencyPlannerTests",
    ];

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(PlaceOf)];

    // A class that names no collection is in one of its own: "Test collection for NAMESPACE.CLASS (id: ...)".
    private static int PlaceOf<TTestCollection>(TTestCollection collection) where TTestCollection : ITestCollection
    {
        string found = collection.TestCollectionDisplayName;
        int place = Array.FindIndex(Longest, name => found == name || found.Contains($".{name} (", StringComparison.Ordinal));
        return place < 0 ? Longest.Length : place;
    }
}
