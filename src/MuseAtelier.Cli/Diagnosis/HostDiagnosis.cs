using MuseAtelier.Cpu;
using MuseAtelier.Host;
using MuseAtelier.Packages;
using MuseAtelier.Runtime;

namespace MuseAtelier.Cli.Diagnosis;

/// <summary>What the machine, its system and the user's settings have for muse, cards apart. Looking changes nothing.</summary>
internal sealed record HostDiagnosis
{
    /// <summary>Version of ONNX Runtime's library; null where it does not load.</summary>
    public required string? OnnxRuntimeVersion { get; init; }

    /// <summary>Why ONNX Runtime's library cannot be used; null where it can.</summary>
    public required MuseAtelierException? OnnxRuntimeProblem { get; init; }

    /// <summary>Whether OpenSSL is installed; null where the system has another library for digests.</summary>
    public required bool? HasOpenSsl { get; init; }

    /// <summary>What bounds the process's memory.</summary>
    public required IReadOnlyList<MemoryBound> Memory { get; init; }

    /// <summary>What bounds the process's threads.</summary>
    public required IReadOnlyList<ThreadBound> Threads { get; init; }

    /// <summary>Full path of the model that is painted with where none is named; null where there is none.</summary>
    public required string? Model { get; init; }

    /// <summary>Why that model cannot be used; null where it is there.</summary>
    public required string? ModelProblem { get; init; }

    /// <summary>The folders that are written to where nothing else is said.</summary>
    public required IReadOnlyList<PlaceDiagnosis> Places { get; init; }

    /// <summary>Looks at all of it.</summary>
    /// <param name="cache">The cache that was named; null means the variable's, else the default.</param>
    /// <param name="model">The model that was named; null means the variable's, else the one that comes with muse.</param>
    public static HostDiagnosis Run(string? cache, string? model)
    {
        MuseAtelierException? runtime = OnnxLibrary.Problem();
        (string? path, string? problem) = FindModel(model);
        return new HostDiagnosis
        {
            OnnxRuntimeVersion = OnnxLibrary.Version,
            OnnxRuntimeProblem = runtime,
            HasOpenSsl = OperatingSystem.IsLinux() ? Sha256.HasSystemImplementation : null,
            Memory = HostMemory.Bounds(),
            Threads = HostThreads.Bounds(),
            Model = path,
            ModelProblem = problem,
            Places = [WorkingPlace(), CachePlace(cache)],
        };
    }

    private static (string? Path, string? Problem) FindModel(string? named)
    {
        try
        {
            string path = Path.GetFullPath(named ?? DefaultModel.Find());
            return File.Exists(path) || Directory.Exists(path) ? (path, null) : (path, $"there is no {path}{(named is null && UserPath.Variable(DefaultModel.Variable) is not null ? $", which {DefaultModel.Variable} names" : "")}");
        }
        catch (Exception exception) when (exception is MuseAtelierException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            return (null, exception is MuseAtelierException known ? known.Found : Failure.Describe(exception));
        }
    }

    // Where pictures go when nothing else is said.
    private static PlaceDiagnosis WorkingPlace() => WorkingFolder.Path is { } folder
        ? PlaceDiagnosis.Of("disk", folder)
        : new PlaceDiagnosis("disk", "the working folder", null, "it is gone: deleted, moved or not accessible");

    private static PlaceDiagnosis CachePlace(string? named)
    {
        try
        {
            string folder = AtelierChoices.CacheFolder(named) ?? PackageCache.DefaultFolder;
            return PlaceDiagnosis.Of("disk (cache)", Path.GetFullPath(folder)) with { IsCache = true };
        }
        catch (Exception exception) when (exception is MuseAtelierException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            string problem = exception is MuseAtelierException known ? known.Found : Failure.Describe(exception);
            return new PlaceDiagnosis("disk (cache)", named ?? AtelierChoices.CacheVariable, null, problem) { IsCache = true };
        }
    }
}
