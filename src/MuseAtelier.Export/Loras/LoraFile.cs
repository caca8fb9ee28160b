using MuseAtelier.Export.Checkpoints;

namespace MuseAtelier.Export.Loras;

/// <summary>
/// An opened LoRA. Its factors are read when a merge first needs them, and kept as long as the file is open. Thread-safe; merges must have
/// finished before it is disposed.
/// </summary>
internal sealed class LoraFile : IDisposable
{
    private readonly TensorFile _file;
    private readonly Lazy<LoraDigest> _digest;

    private LoraFile(string path, TensorFile file)
    {
        Path = path;
        _file = file;
        Modules = LoraModules.Of(file, out IReadOnlyList<string> others);
        Others = others;
        Info = LoraInfo.Of(file, Modules);
        // The digest is that of the file whose factors are read, and not of one that has taken its name.
        _digest = new Lazy<LoraDigest>(() => LoraDigest.Of(path, file.Handle!, hasContent: LoraDigest.Usable(Info.StatedHash) is null));
    }

    /// <summary>Path of the file.</summary>
    public string Path { get; }

    /// <summary>The file's name without its extension, by which prompts name it.</summary>
    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>What the file says of itself.</summary>
    public LoraInfo Info { get; }

    /// <summary>SHA-256 of the whole file, 64 lower-case hex digits. The first call reads the file.</summary>
    /// <exception cref="CheckpointException">The file cannot be read.</exception>
    public string Sha256 => _digest.Value.File;

    /// <summary>The digits by which AUTOMATIC1111's texts name the file. The first call reads the file.</summary>
    /// <exception cref="CheckpointException">The file cannot be read.</exception>
    public string ShortHash => _digest.Value.ShortOf(Info.StatedHash);

    /// <summary>The changed layers, in the order of their names.</summary>
    internal IReadOnlyList<LoraModule> Modules { get; }

    /// <summary>Names of tensors whose form is unknown.</summary>
    internal IReadOnlyList<string> Others { get; }

    /// <summary>Opens a file and checks that it is a LoRA for SDXL. Reads only its header.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="CheckpointException">The file cannot be read.</exception>
    /// <exception cref="LoraException">The file is no LoRA for SDXL.</exception>
    public static LoraFile Open(string path)
    {
        TensorFile? file = TensorFile.Open(path);
        try
        {
            LoraKinds.Require(file);
            var lora = new LoraFile(path, file);
            file = null;
            return lora;
        }
        finally
        {
            file?.Dispose();
        }
    }

    /// <summary>Frees the factors that merges have read. The next merge reads them again.</summary>
    public void Forget()
    {
        foreach (LoraTensor tensor in Modules.SelectMany(module => module.Tensors)) tensor.Forget();
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
