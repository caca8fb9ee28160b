namespace MuseAtelier.Export.Storage;

/// <summary>
/// A lock between processes: a file that one of them holds open for itself alone. The system releases it when the process ends, however it
/// ends.
/// The file is deleted with the lock. Threads of one process exclude each other as well.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private const int WindowsSharingViolation = unchecked((int)0x80070020);
    private const int WindowsLockViolation = unchecked((int)0x80070021);
    private const int LinuxWouldBlock = 11;
    private const int MacWouldBlock = 35;

    private readonly FileStream _stream;

    private FileLock(string path, FileStream stream) => (Path, _stream) = (path, stream);

    /// <summary>Path of the file.</summary>
    public string Path { get; }

    /// <summary>Takes the lock; null where another holds it.</summary>
    /// <param name="path">Path of the file, in a folder that exists. The file is created where there is none.</param>
    /// <exception cref="IOException">The system refuses the file for another reason than the lock.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may neither be created nor opened.</exception>
    public static FileLock? TryTake(string path)
    {
        try
        {
            return new FileLock(path, Open(path));
        }
        catch (IOException exception) when (IsHeld(exception))
        {
            return null;
        }
    }

    /// <summary>Whether the failure means that somebody else has the file open.</summary>
    public static bool IsHeld(IOException exception) =>
        OperatingSystem.IsWindows()
            ? exception.HResult is WindowsSharingViolation or WindowsLockViolation
            : exception.HResult is LinuxWouldBlock or MacWouldBlock;

    /// <summary>
    /// Whether the lock keeps others out. Some network file systems have no locks: there every process takes the lock, and nothing may be
    /// concluded from that.
    /// </summary>
    public bool Excludes()
    {
        try
        {
            using var second = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.None, bufferSize: 1);
            return false;
        }
        catch (IOException exception)
        {
            return IsHeld(exception);
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1,
                FileOptions.DeleteOnClose);
        }
        catch (UnauthorizedAccessException) when (!OperatingSystem.IsWindows() && File.Exists(path))
        {
            // The file of another user: it can be locked all the same where it can be read.
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
    }
}
