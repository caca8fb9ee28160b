using MuseAtelier.Cpu;

namespace MuseAtelier.Tests.Support;

/// <summary>The Miniature on the processor, as the tests paint with it.</summary>
internal static class TestAtelier
{
    /// <summary>The repository's checkpoint.</summary>
    public static string Checkpoint { get; } = Path.Combine(GoldenFiles.Root, "models", "miniature", "miniature.safetensors");

    /// <summary>Options with a cache that all tests of a run share, and that goes with it.</summary>
    public static AtelierOptions Options { get; } = new() { Backend = CpuBackend.Create(), CacheFolder = MakeCache() };

    public static Task<Atelier> OpenAsync(AtelierOptions? options = null) => Atelier.OpenAsync(Checkpoint, options ?? Options, cancellationToken: TestContext.Current.CancellationToken);

    private static string MakeCache()
    {
        string folder = Directory.CreateTempSubdirectory("muse-cache-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    }
}
