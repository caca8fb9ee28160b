namespace MuseAtelier.Export.Storage;

/// <summary>A file that has a temporary name beside its place until it is complete.</summary>
internal sealed class NewFile : IDisposable
{
    private readonly string _path;
    private readonly string _partial;
    private bool _isComplete;

    private NewFile(string path, string partial, FileStream stream) => (_path, _partial, Stream) = (path, partial, stream);

    /// <summary>The stream to write to.</summary>
    public FileStream Stream { get; }

    /// <summary>Creates a file. Its whole size is reserved, so that a full disk fails here and not after gigabytes.</summary>
    /// <param name="path">Path of the file. An existing file is replaced on completion.</param>
    /// <param name="bytes">The size of the file.</param>
    public static NewFile Create(string path, long bytes)
    {
        // The name is random because two writers may write the same file, and short because the path may be as long as the system allows.
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        string partial = Path.Combine(folder, $"muse-{UniqueName.Digits()}.partial");
        var stream = new FileStream(partial, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
            BufferSize = 1 << 20,
            PreallocationSize = bytes,
        });
        return new NewFile(path, partial, stream);
    }

    /// <summary>Flushes the file to the disk and renames it to its final name.</summary>
    public void Complete()
    {
        Stream.Flush(flushToDisk: true);
        Stream.Dispose();
        PatientMove.File(_partial, _path);
        _isComplete = true;
    }

    /// <summary>Closes the file. An incomplete file is deleted.</summary>
    public void Dispose()
    {
        Stream.Dispose();
        if (!_isComplete) File.Delete(_partial);
        _isComplete = true;
    }
}
