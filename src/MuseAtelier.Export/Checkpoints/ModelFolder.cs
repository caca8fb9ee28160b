namespace MuseAtelier.Export.Checkpoints;

/// <summary>A file of a model's folder that holds tensors.</summary>
/// <param name="Name">Its path within the folder, with slashes.</param>
/// <param name="Part">The part of the model that it holds; null if its tensors tell.</param>
internal sealed record ModelFolderFile(string Name, ModelPart? Part);

/// <summary>
/// A model in several files of a folder. Two layouts are known: that of diffusers, whose <c>model_index.json</c> and subfolders name the
/// parts, and a plain folder of .safetensors files, each of which holds one or more parts, as ComfyUI keeps them.
/// </summary>
/// <param name="Path">The folder as it was given.</param>
/// <param name="Files">The files that hold tensors, in the order of their names.</param>
/// <param name="Descriptions">Other files that decide how the model is read, by their paths within the folder.</param>
internal sealed record ModelFolder(string Path, IReadOnlyList<ModelFolderFile> Files, IReadOnlyList<string> Descriptions)
{
    /// <summary>The pattern of files that may hold a part in a plain folder.</summary>
    private const string Pattern = "*.safetensors";

    /// <summary>The most files that a plain folder of a model's parts has.</summary>
    private const int MostFiles = 16;

    /// <summary>Whether a path is one of a checkpoint's file, or of a folder that holds a model's files.</summary>
    public static bool IsModel(string path) => File.Exists(path) || IsFolder(path);

    /// <summary>Whether a path is one of a folder that holds a model's files. Only names are looked at.</summary>
    public static bool IsFolder(string path)
    {
        if (!Directory.Exists(path)) return false;
        return DiffusersFolder.IsOne(path) || Directory.EnumerateFiles(path, Pattern).Any();
    }

    /// <summary>The name of a model: that of its file without extension, or of its folder.</summary>
    public static string NameOf(string path) => Directory.Exists(path)
        ? System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path)))
        : System.IO.Path.GetFileNameWithoutExtension(path);

    /// <summary>Finds the files of a model's folder.</summary>
    /// <param name="path">Path of the folder.</param>
    /// <exception cref="CheckpointException">The folder holds no model, or lacks a part of one.</exception>
    public static ModelFolder Of(string path)
    {
        try
        {
            if (DiffusersFolder.IsOne(path)) return DiffusersFolder.Find(path);
            string[] names = [.. Directory.EnumerateFiles(path, Pattern).Select(file => System.IO.Path.GetFileName(file)).Take(MostFiles + 1)];
            if (names.Length == 0) throw new CheckpointFolderException(path, isDiffusers: false);
            if (names.Length > MostFiles) throw new ModelFolderException(
                path,
                $"{path} holds more than {MostFiles} .safetensors files",
                "a folder with the parts of one model",
                "Give the path of one model's file, or put its parts into a folder of their own.");
            Array.Sort(names, StringComparer.Ordinal);
            return new ModelFolder(path, [.. names.Select(name => new ModelFolderFile(name, null))], []);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointUnreadableException(path, exception);
        }
    }

    /// <summary>The full path of a file of the folder.</summary>
    /// <param name="name">Its path within the folder, with slashes.</param>
    public string PathOf(string name) => System.IO.Path.Combine(Path, name.Replace('/', System.IO.Path.DirectorySeparatorChar));
}
