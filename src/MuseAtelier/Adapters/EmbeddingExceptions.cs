using static System.FormattableString;

namespace MuseAtelier;

/// <summary>No folder of embeddings has a file of the name that a prompt gives, as in <c>embedding:name</c>.</summary>
public sealed class EmbeddingNotFoundException : PictureRequestException
{
    private const int LongestQuote = 100;

    internal EmbeddingNotFoundException(string prompt, string name, IReadOnlyList<string> nearest, int files)
        : base(
            $"the {prompt} names the embedding '{Short(name)}', which does not exist",
            files == 0
                ? "the name of a file in the folders of embeddings, which have none"
                : Invariant($"the name of one of the {files} files in the folders of embeddings"),
            $"{NearestNames.Question(nearest)} Check the name, or add the file to a folder of embeddings.".TrimStart())
    {
        Name = name;
        Nearest = nearest;
    }

    /// <summary>The name that the prompt gives.</summary>
    public string Name { get; }

    /// <summary>Names like it, the nearest first; at most three.</summary>
    public IReadOnlyList<string> Nearest { get; }

    private static string Short(string name) =>
        (name.Length <= LongestQuote ? name : string.Concat(name.AsSpan(0, LongestQuote), "…")).ReplaceLineEndings(" ");
}

/// <summary>A folder of embeddings is missing or cannot be read.</summary>
public sealed class EmbeddingFolderException : MuseAtelierException
{
    internal EmbeddingFolderException(string path, Exception? inner = null)
        : base(
            inner is null ? $"there is no folder {path}" : $"the folder {path} cannot be read ({inner.Message.TrimEnd('.')})",
            "a folder of embeddings that this process may read",
            "Check the path and its permissions.",
            inner) => Path = path;

    /// <summary>The path of the folder.</summary>
    public string Path { get; }
}
