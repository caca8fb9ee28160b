namespace MuseAtelier.Pictures;

/// <summary>The file of a written picture.</summary>
public sealed record WrittenPicture
{
    internal WrittenPicture(string path, IReadOnlyList<string> notices) => (Path, Notices) = (path, notices);

    /// <summary>Path of the file: the requested one, unless a notice says otherwise.</summary>
    public string Path { get; init; }

    /// <summary>Notices for the user; empty if the picture was written as requested.</summary>
    public IReadOnlyList<string> Notices { get; init; }
}
