namespace MuseAtelier.Cli;

/// <summary>Finds the model for commands that name none: by default the Miniature, which comes with the program.</summary>
internal static class DefaultModel
{
    /// <summary>The environment variable that names another model.</summary>
    public const string Variable = "MUSE_MODEL";

    private static readonly string RelativePath = Path.Combine("models", "miniature", "miniature.safetensors");

    /// <summary>
    /// Path of the default model: the one that the variable names, else the Miniature in the program's folder or in a folder above it.
    /// </summary>
    /// <exception cref="DefaultModelMissingException">There is none.</exception>
    /// <exception cref="UserPathException">The variable's value is not a valid path.</exception>
    public static string Find() => Find(AppContext.BaseDirectory);

    internal static string Find(string start)
    {
        if (UserPath.Variable(Variable) is { } named) return named;
        for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, RelativePath);
            if (File.Exists(path)) return path;
        }

        throw new DefaultModelMissingException(start);
    }
}

/// <summary>No model was named, and the model that comes with the program is missing.</summary>
internal sealed class DefaultModelMissingException(string folder)
    : MuseAtelierException(
        $"no model was named, and there is no models/miniature/miniature.safetensors in {folder} or above it",
        "a model",
        $"Name one with --model PATH or the variable {DefaultModel.Variable}, or restore the file.");
