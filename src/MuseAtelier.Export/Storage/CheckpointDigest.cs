using System.Text;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Storage;

/// <summary>
/// Computes the digest of a checkpoint. That of a model in several files is the SHA-256 of a list of them, which has the form that
/// <c>sha256sum</c> writes: for each file with tensors, in the order of their paths within the folder, the file's own SHA-256, two spaces,
/// the path and LF. So <c>sha256sum</c> of these files, piped into <c>sha256sum</c>, gives it.
/// </summary>
internal static class CheckpointDigest
{
    private const int BufferBytes = 4 << 20;

    /// <summary>The digest of a checkpoint's file or folder, lower-case hex.</summary>
    /// <param name="path">Path of the checkpoint.</param>
    /// <param name="cancellationToken">Cancels within a few MiB.</param>
    /// <exception cref="CheckpointException">The system refuses to read a file, or the folder holds no model.</exception>
    public static string Of(string path, CancellationToken cancellationToken)
    {
        if (!ModelFolder.IsFolder(path)) return OfFile(path, cancellationToken);
        ModelFolder folder = ModelFolder.Of(path);
        var list = new StringBuilder();
        foreach (ModelFolderFile file in folder.Files)
            list.Append(OfFile(folder.PathOf(file.Name), cancellationToken)).Append("  ").Append(file.Name).Append('\n');
        return Sha256.Hash(Encoding.UTF8.GetBytes(list.ToString()));
    }

    private static string OfFile(string path, CancellationToken cancellationToken)
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
