namespace MuseAtelier.Tests.Support;

/// <summary>Where the reference values are: the repository's own and, where MUSE_GOLDENS names a folder, every one in it.</summary>
internal static class GoldenFiles
{
    /// <summary>The repository's root.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The folder of the repository's own reference values.</summary>
    public static string Folder { get; } = Path.Combine(Root, "tests", "goldens");

    /// <summary>The repository's own golden.</summary>
    public static GoldenFile Miniature { get; } = new(Path.Combine(Folder, "miniature.golden.safetensors"));

    /// <summary>
    /// Runs of samplers by k-diffusion and diffusers: the repository's own selection and, where MUSE_GOLDENS names a folder, all of them.
    /// </summary>
    public static IReadOnlyList<GoldenFile> Samplers { get; } =
    [
        new GoldenFile(Path.Combine(Folder, "sampling.golden.safetensors")),
        new GoldenFile(Path.Combine(Folder, "samplers.golden.safetensors")),
        .. ExternalPainting("k_diffusion.golden.safetensors"),
        .. ExternalPainting("schedulers.golden.safetensors"),
    ];

    /// <summary>Weighted and long prompts by AUTOMATIC1111's rules without its comma rule, encoded by the Miniature.</summary>
    public static GoldenFile Prompts { get; } = new(Path.Combine(Folder, "prompts.golden.safetensors"));

    public static IReadOnlyList<GoldenFile> All { get; } =
        [Miniature, .. (Environment.GetEnvironmentVariable("MUSE_GOLDENS") is { Length: > 0 } folder
            ? Directory.GetFiles(folder, "*.golden.safetensors").Where(path => Path.GetFileName(path) != Miniature.ToString())
                .Order(StringComparer.Ordinal).Select(path => new GoldenFile(path))
            : [])];

    /// <summary>The checkpoint that a golden was made from: the repository's own, or the one that lies beside the golden.</summary>
    public static string CheckpointOf(GoldenFile golden) =>
        golden == Miniature ? TestAtelier.Checkpoint : golden.Path.Replace(".golden.safetensors", ".safetensors", StringComparison.Ordinal);

    private static GoldenFile[] ExternalPainting(string name)
    {
        if (Environment.GetEnvironmentVariable("MUSE_GOLDENS") is not { Length: > 0 } folder) return [];
        string path = Path.Combine(folder, "painting", name);
        return File.Exists(path) ? [new GoldenFile(path)] : [];
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "MuseAtelier.sln")))
                return folder.FullName;
        }

        throw new DirectoryNotFoundException($"No MuseAtelier.sln above {AppContext.BaseDirectory}.");
    }
}
