using MuseAtelier.Cpu;
using MuseAtelier.Tests.Support;

[assembly: AssemblyFixture(typeof(TestAtelier))]

namespace MuseAtelier.Tests.Support;

/// <summary>
/// The Miniature, for tests of what pictures show and of reference values. Other tests take <see cref="NarrowAtelier"/>, which costs less.
/// </summary>
public sealed class TestAtelier() : SharedAtelier(() => Checkpoint)
{
    /// <summary>The repository's checkpoint.</summary>
    public static string Checkpoint { get; } = Path.Combine(GoldenFiles.Root, "models", "miniature", "miniature.safetensors");

    /// <summary>
    /// Options with a cache that all tests of a run share, and that goes with it. Threads that wait do not spin, because tests run beside
    /// each other; tests that start processes of muse run with threads that spin.
    /// </summary>
    public static AtelierOptions Options { get; } =
        new() { Backend = CpuBackend.Create(spins: false), CacheFolder = RunFolder.Create("muse-cache-") };

    /// <summary>A small picture that is quickly painted.</summary>
    public static PictureRequest Small { get; } =
        new() { Prompt = "a starry night over a quiet city, oil painting", Width = 256, Height = 256, Steps = 3, Seed = 7 };
}
