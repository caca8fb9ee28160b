using MuseAtelier.Cli.Choices;
using MuseAtelier.Cpu;
using MuseAtelier.Format;
using MuseAtelier.Limits;
using MuseAtelier.Runtime;
using MuseAtelier.Server.Checklist;

namespace MuseAtelier.Cli.Diagnosis;

/// <summary>The state of the machine, its system and the user's settings, without cards. The diagnosis changes nothing.</summary>
internal sealed record HostDiagnosis
{
    /// <summary>Version of ONNX Runtime's library; null if it does not load.</summary>
    public required string? OnnxRuntimeVersion { get; init; }

    /// <summary>Why ONNX Runtime's library cannot be used; null if it can.</summary>
    public required MuseAtelierException? OnnxRuntimeProblem { get; init; }

    /// <summary>Whether OpenSSL is installed; null on systems that have another library for digests.</summary>
    public required bool? HasOpenSsl { get; init; }

    /// <summary>The limits of the process's memory.</summary>
    public required IReadOnlyList<MemoryBound> Memory { get; init; }

    /// <summary>The limits of the process's threads.</summary>
    public required IReadOnlyList<ThreadBound> Threads { get; init; }

    /// <summary>Full path of the named model or, if none was named, of the default model; null if there is none.</summary>
    public required string? Model { get; init; }

    /// <summary>Why that model cannot be used; null if it exists.</summary>
    public required string? ModelProblem { get; init; }

    /// <summary>The cache's folder; null means the engine's default, or that the named one cannot be used.</summary>
    public string? Cache { get; init; }

    /// <summary>The folders that muse writes to by default, and the cache.</summary>
    public required IReadOnlyList<PlaceDiagnosis> Places { get; init; }

    /// <summary>Runs the diagnosis.</summary>
    /// <param name="cache">The named cache; null means that of the variable, else the default.</param>
    /// <param name="model">The named model; null means that of the variable, else the one that comes with muse.</param>
    public static HostDiagnosis Run(string? cache, string? model)
    {
        MuseAtelierException? runtime = OnnxLibrary.Problem();
        (string? path, string? problem) = FindModel(model);
        PlaceDiagnosis cachePlace = CachePlace(cache);
        return new HostDiagnosis
        {
            OnnxRuntimeVersion = OnnxLibrary.Version,
            OnnxRuntimeProblem = runtime,
            HasOpenSsl = OperatingSystem.IsLinux() ? Sha256.HasSystemImplementation : null,
            Memory = HostMemory.Bounds(),
            Threads = HostThreads.Bounds(),
            Model = path,
            ModelProblem = problem,
            Cache = cachePlace.Problem is null ? cachePlace.Folder : null,
            Places = [WorkingPlace(), cachePlace],
        };
    }

    private static (string? Path, string? Problem) FindModel(string? named)
    {
        try
        {
            string path = Path.GetFullPath(named ?? DefaultModel.Find());
            if (File.Exists(path) || Directory.Exists(path)) return (path, null);
            bool isFromVariable = named is null && UserPath.Variable(DefaultModel.Variable) is not null;
            string origin = isFromVariable ? $", which {DefaultModel.Variable} names" : "";
            return (path, $"there is no {path}{origin}");
        }
        catch (Exception exception)
            when (exception is MuseAtelierException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            return (null, Describe(exception));
        }
    }

    // The folder that pictures go to by default.
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
        catch (Exception exception)
            when (exception is MuseAtelierException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            string place = named ?? AtelierChoices.CacheVariable;
            return new PlaceDiagnosis("disk (cache)", place, null, Describe(exception)) { IsCache = true };
        }
    }

    private static string Describe(Exception exception) =>
        exception is MuseAtelierException known ? known.Found : Failure.Describe(exception);
}
