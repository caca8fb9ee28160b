using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Export.Loras;
using MuseAtelier.Export.Storage;

namespace MuseAtelier.Adapters;

/// <summary>A file in a folder of LoRAs. Only its place is known until its metadata is asked for. Thread-safe.</summary>
/// <param name="path">Path of the file.</param>
/// <param name="place">The path within the folder of LoRAs, with slashes, which tells nothing of the machine.</param>
internal sealed class LoraEntry(string path, string place)
{
    private const int LongestAlias = 200;

    private readonly Lock _lock = new();
    private (long Bytes, DateTime Modified, string? Alias, string? ContentHash)? _read;

    /// <summary>Path of the file.</summary>
    public string Path => path;

    /// <summary>The path within the folder of LoRAs, with slashes.</summary>
    public string Place => place;

    /// <summary>The file's name without extension.</summary>
    public string Name { get; } = System.IO.Path.GetFileNameWithoutExtension(path);

    /// <summary>
    /// The name that the trainer gave the LoRA (<c>ss_output_name</c>); null if its metadata names none or the file cannot be read. Reads
    /// the header once for each size and time of the file.
    /// </summary>
    public string? Alias => Read().Alias;

    /// <summary>
    /// SHA-256 over the data behind the header, as the trainer wrote it into the metadata (<c>sshs_model_hash</c>); null if it did not.
    /// </summary>
    public string? ContentHash => Read().ContentHash;

    /// <summary>Whether the digest that the trainer stored begins with these digits.</summary>
    public bool States(string digits) =>
        LoraDigest.Usable(ContentHash)?.StartsWith(digits, StringComparison.OrdinalIgnoreCase) ?? false;

    /// <summary>
    /// Whether the digest of the file, or of what follows its header, begins with these digits. Reads the file; false if it cannot be read.
    /// </summary>
    public bool HasDigest(string digits)
    {
        try
        {
            var digest = LoraDigest.Of(path, hasContent: true);
            return digest.File.StartsWith(digits, StringComparison.OrdinalIgnoreCase)
                || (digest.Content?.StartsWith(digits, StringComparison.OrdinalIgnoreCase) ?? false);
        }
        catch (CheckpointUnreadableException)
        {
            return false;
        }
    }

    private (long Bytes, DateTime Modified, string? Alias, string? ContentHash) Read()
    {
        FileInfo file = FinalPath.FileOf(path);
        (long Bytes, DateTime Modified) now = file.Exists ? (file.Length, file.LastWriteTimeUtc) : default;
        lock (_lock)
        {
            if (_read is { } known && (known.Bytes, known.Modified) == now) return known;
            (string? alias, string? hash) = ReadMetadata();
            _read = (now.Bytes, now.Modified, alias, hash);
            return _read.Value;
        }
    }

    // A file that is no LoRA has no alias. Using it gives the reason.
    private (string? Alias, string? ContentHash) ReadMetadata()
    {
        try
        {
            using TensorFile file = TensorFile.Open(path);
            return (Line(file.Metadata.GetValueOrDefault("ss_output_name")), Line(file.Metadata.GetValueOrDefault("sshs_model_hash")));
        }
        catch (Exception exception) when (exception is MuseAtelierException or IOException or UnauthorizedAccessException)
        {
            return (null, null);
        }
    }

    private static string? Line(string? text) =>
        text is { Length: > 0 and <= LongestAlias } && !text.Any(char.IsControl) ? text : null;
}
