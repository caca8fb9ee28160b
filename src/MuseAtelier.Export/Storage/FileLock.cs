namespace MuseAtelier.Export.Storage;

/// <summary>
/// A lock between processes: a file that one process opens exclusively. The system releases the lock when the process ends in any way. The
/// file is deleted with the lock. The lock also excludes other threads of the same process.
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

    /// <summary>Takes the lock. Returns null if another process or thread holds it.</summary>
    /// <param name="path">Path of the file. Its folder must exist; the file is created if it does not.</param>
    /// <exception cref="IOException">The system refuses the file for a reason other than the lock.</exception>
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

    /// <summary>Whether the failure means that the file is open elsewhere.</summary>
    public static bool IsHeld(IOException exception) =>
        OperatingSystem.IsWindows()
            ? exception.HResult is WindowsSharingViolation or WindowsLockViolation
            : exception.HResult is LinuxWouldBlock or MacWouldBlock;

    /// <summary>
    /// Whether the lock excludes others. Some network file systems have no locks. Every process takes the lock there, so a lock that is
    /// taken proves nothing.
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
            // The file belongs to another user. It can be locked if it can be read.
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        }
    }
}
