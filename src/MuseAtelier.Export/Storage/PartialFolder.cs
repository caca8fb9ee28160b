
namespace MuseAtelier.Export.Storage;

/// <summary>
/// A folder that is being written, beside its final place. Its name is random, so that several writers of one package do not collide. A
/// lock beside it is held while it is written, which shows other processes that its writer still runs.
/// </summary>
internal sealed class PartialFolder : IDisposable
{
    /// <summary>The end of the name of a folder that is being written.</summary>
    public const string Suffix = ".partial";

    /// <summary>The end of the name of a folder that was replaced and will be deleted.</summary>
    public const string ReplacedSuffix = ".old";

    /// <summary>The suffix that a lock's name adds to the name of its partial folder.</summary>
    public const string LockSuffix = ".lock";

    private const int LongestName = 40;
    private const int Attempts = 20;

    private readonly string _folder;
    private readonly FileLock _lock;

    private PartialFolder(string folder, string path, FileLock held) => (_folder, Path, _lock) = (folder, path, held);

    /// <summary>Path of the folder that is being written.</summary>
    public string Path { get; }

    /// <summary>Creates a folder to write into, and the folders above it.</summary>
    /// <param name="folder">Full path of the final folder.</param>
    public static PartialFolder Create(string folder)
    {
        for (int attempt = 0; ; attempt++)
        {
            string path = Beside(folder, Suffix);
            try
            {
                Directory.CreateDirectory(System.IO.Path.GetDirectoryName(folder)!);
                FileLock? held = FileLock.TryTake(path + LockSuffix);
                if (held is not null && File.Exists(held.Path))
                {
                    Directory.CreateDirectory(path);
                    return new PartialFolder(folder, path, held);
                }

                // Another process took the lock file for a leftover before it was locked, and deleted it.
                held?.Dispose();
            }
            catch (DirectoryNotFoundException) when (attempt < Attempts)
            {
                // Another process that gave up has deleted the empty parent folder.
            }

            if (attempt >= Attempts) throw new IOException($"no lock could be taken beside {folder}");
        }
    }

    /// <summary>Returns the shortened name of a folder, with which the names of its partial folders and locks begin.</summary>
    public static string ShortName(string folder)
    {
        string name = System.IO.Path.GetFileName(folder);
        if (name.Length <= LongestName) return name;
        // The name must not end in half a surrogate pair, nor in dots or spaces, because Windows drops these.
        int length = char.IsHighSurrogate(name[LongestName - 1]) ? LongestName - 1 : LongestName;
        return name[..length].TrimEnd('.', ' ');
    }

    /// <summary>Moves a finished folder away with one rename, then deletes it.</summary>
    /// <param name="folder">Full path of the folder.</param>
    public static void Discard(string folder)
    {
        if (MoveAside(folder) is { } aside) Leftovers.Delete(aside);
    }

    /// <summary>Moves the folder to its place with one rename.</summary>
    /// <param name="keep">Whether to keep the folder that is already there and drop this one.</param>
    /// <exception cref="IOException">The folder that is already there cannot be moved aside.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder that is already there must not be moved aside.</exception>
    public void Publish(Func<string, bool> keep)
    {
        DurableFolder.FlushTree(Path);
        for (int attempt = 0; ; attempt++)
        {
            if (keep(_folder)) return;
            try
            {
                string? replaced = MoveAside(_folder);
                MoveIn(replaced);
                DurableFolder.Flush(System.IO.Path.GetDirectoryName(_folder)!);
                if (replaced is not null) Leftovers.Delete(replaced);
                return;
            }
            catch (Exception exception) when (
                exception is IOException or UnauthorizedAccessException && (keep(_folder) || attempt < Attempts && Appeared(_folder)))
            {
                // Another process has moved its own folder there in the meantime. The next iteration examines it.
            }
        }
    }

    /// <summary>Deletes the folder if it was not published, and releases the lock.</summary>
    public void Dispose()
    {
        Leftovers.Delete(Path);
        _lock.Dispose();
    }

    private void MoveIn(string? replaced)
    {
        try
        {
            PatientMove.Folder(Path, _folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The former folder must come back, because the new one could not be moved.
            if (replaced is not null && !Directory.Exists(_folder)) Directory.Move(replaced, _folder);
            throw;
        }
    }

    // This must be one rename, because it fails as a whole if a file in the folder is open and the system forbids it. Deleting in place
    // could leave half a folder.
    private static string? MoveAside(string folder)
    {
        bool isFile = File.Exists(folder);
        if (!isFile && !Directory.Exists(folder)) return null;
        string aside = Beside(folder, ReplacedSuffix);
        try
        {
            if (isFile) PatientMove.File(folder, aside);
            else PatientMove.Folder(folder, aside);
            return aside;
        }
        catch (Exception exception) when (exception is DirectoryNotFoundException or FileNotFoundException)
        {
            return null;
        }
    }

    private static bool Appeared(string folder) => !OperatingSystem.IsWindows() && (Directory.Exists(folder) || File.Exists(folder));

    private static string Beside(string folder, string suffix) =>
        System.IO.Path.Combine(System.IO.Path.GetDirectoryName(folder)!, $"{ShortName(folder)}.{UniqueName.Digits()}{suffix}");
}
