namespace MuseAtelier.Export.Checkpoints;

/// <summary>Opens checkpoints, whichever files they consist of.</summary>
internal static class CheckpointFile
{
    /// <summary>Opens a single-file checkpoint, or the folder of a model in several files.</summary>
    /// <param name="path">Path of the file or of the folder.</param>
    /// <exception cref="CheckpointException">It cannot be read. Each cause has its own type.</exception>
    public static TensorFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return ModelFolder.IsFolder(path) ? CompositeFile.OpenFolder(path) : SafetensorsFile.Open(path);
    }
}
