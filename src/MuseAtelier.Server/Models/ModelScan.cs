using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Server.Models;

/// <summary>Finds the models that paths name. Of a checkpoint only the header is read.</summary>
internal static class ModelScan
{
    /// <summary>The number of models that a shelf holds at most.</summary>
    public const int MostModels = 256;

    // A folder of models may hold folders by kind. Deeper ones, and entries beyond the limit, are not looked at.
    private const int Depth = 2, MostEntries = 10_000, LongestTitle = 200, LeastBestSize = 64, MostBestSize = 4096;

    /// <summary>Finds the models of some paths, each once, in the order of the paths; those of a folder by their names.</summary>
    /// <param name="paths">Checkpoints, packages, or folders of these.</param>
    /// <param name="options">The options of ateliers, which say where exported packages are.</param>
    public static IReadOnlyList<ShelfModel> Run(IReadOnlyList<string> paths, AtelierOptions options)
    {
        StringComparer comparer = OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase;
        IEnumerable<string> found = paths.SelectMany(Candidates).Distinct(comparer).Take(MostModels);
        var ids = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        return [.. found.Select(path => Describe(path, UniqueId(path, ids), options))];
    }

    private static IEnumerable<string> Candidates(string named)
    {
        string path = Path.GetFullPath(named);
        // A file that is missing is listed with its problem.
        if (!Directory.Exists(path) || IsPackage(path)) return [path];
        var entries = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            MaxRecursionDepth = Depth,
            IgnoreInaccessible = true,
            AttributesToSkip = FileAttributes.Hidden | FileAttributes.System,
        };
        try
        {
            return [.. Directory.EnumerateFiles(path, "*", entries).Take(MostEntries)
                .Select(ModelOf).OfType<string>()
                .Order(StringComparer.Ordinal)];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return [path];
        }
    }

    private static string? ModelOf(string file)
    {
        if (Path.GetFileName(file) == PackageManifest.FileName) return Path.GetDirectoryName(file);
        return Path.GetExtension(file).Equals(".safetensors", StringComparison.OrdinalIgnoreCase) ? file : null;
    }

    private static bool IsPackage(string folder) => File.Exists(Path.Combine(folder, PackageManifest.FileName));

    private static string UniqueId(string path, HashSet<string> ids)
    {
        string name = Directory.Exists(path) ? Path.GetFileName(path) : Path.GetFileNameWithoutExtension(path);
        string first = name.Length == 0 ? "model" : name;
        string id = first;
        for (int number = 2; !ids.Add(id); number++) id = $"{first}-{number}";
        return id;
    }

    private static ShelfModel Describe(string path, string id, AtelierOptions options)
    {
        var model = new ShelfModel { Id = id, Title = id, Path = path };
        try
        {
            return IsPackage(path) ? OfPackage(model, options) : OfCheckpoint(model, options);
        }
        catch (MuseAtelierException exception)
        {
            return model with { Problem = ModelProblem.Of(exception) };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            const string message = "The file cannot be read; expected one that this user may read. Change its rights, and read the models "
                + "again.";
            return model with { Problem = new Problem { Kind = ModelProblem.BadModel, Message = message } };
        }
    }

    private static ShelfModel OfPackage(ShelfModel model, AtelierOptions options)
    {
        PackageManifest manifest = PackageManifest.Read(model.Path);
        if (manifest.Upscaler is not null) throw new PackageKindException(model.Path, isUpscaler: true);
        Lowering expected = options.Backend.Lowering;
        if (manifest.Lowering != expected) throw new PackageLoweringException(model.Path, manifest.Lowering, expected);
        return model with { Title = TitleOr(manifest.Checkpoint.Title, model.Id), Sha256 = manifest.Checkpoint.Sha256 };
    }

    private static ShelfModel OfCheckpoint(ShelfModel model, AtelierOptions options)
    {
        using (TensorFile file = CheckpointFile.Open(model.Path))
        {
            CheckpointInspector.RequireSdxlBase(file);
            model = model with
            {
                Title = TitleOr(file.Metadata.GetValueOrDefault("modelspec.title"), model.Id),
                BestSize = BestSizeOf(file.Metadata.GetValueOrDefault("modelspec.resolution")) ?? model.BestSize,
            };
        }

        // A checkpoint that was exported before has its digest in its package.
        return PackageCache.Find(model.Path, options.PackageChoice) is { } package
            ? model with { Sha256 = PackageManifest.Read(package).Checkpoint.Sha256 }
            : model;
    }

    private static string TitleOr(string? title, string id)
    {
        if (string.IsNullOrWhiteSpace(title)) return id;
        string line = string.Concat(title.Trim().Take(LongestTitle).Select(letter => char.IsControl(letter) ? ' ' : letter));
        return line;
    }

    // Such as 1024x1024.
    private static int? BestSizeOf(string? resolution)
    {
        string[] sides = resolution?.Split('x', 3) ?? [];
        bool isKnown = int.TryParse(sides.FirstOrDefault(), out int width) & int.TryParse(sides.LastOrDefault(), out int height);
        int longer = Math.Max(width, height);
        return isKnown && longer is >= LeastBestSize and <= MostBestSize ? longer : null;
    }
}
