namespace MuseAtelier.Tools.Charts;

/// <summary>A file of measured results that cannot be used.</summary>
public sealed class ResultFileException(string path, string found, string expected, string remedy, Exception? inner = null)
    : MuseAtelierException($"{path} {found}", expected, remedy, inner)
{
    /// <summary>The file.</summary>
    public string Path { get; } = path;
}
