using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Storage;

/// <summary>Computes the digest of a checkpoint.</summary>
internal static class CheckpointDigest
{
    private const int BufferBytes = 4 << 20;

    /// <summary>SHA-256 of a whole file, lower-case hex.</summary>
    /// <param name="path">Path of the checkpoint.</param>
    /// <param name="cancellationToken">Cancels within a few MiB.</param>
    /// <exception cref="CheckpointUnreadableException">The system refuses to read the file.</exception>
    public static string Of(string path, CancellationToken cancellationToken)
    {
        using var hash = new Sha256();
        try
        {
            // It reads the file and not a mapping, so that the pages count as the system's cache and not as memory of this process.
            using FileStream stream = new(
                path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
            byte[] buffer = new byte[BufferBytes];
            for (int read; (read = stream.Read(buffer)) > 0;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                hash.Append(buffer.AsSpan(0, read));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointUnreadableException(path, exception);
        }

        return hash.Finish();
    }
}
