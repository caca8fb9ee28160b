
namespace MuseAtelier.Export.Storage;

/// <summary>
/// A folder that is being written, beside the place where it will appear. Its name is random: writers of one package do not meet. A lock
/// beside it
/// is held while it is written, which tells others that its writer lives.
/// </summary>
internal sealed class PartialFolder : IDisposable
{
    /// <summary>What the name of a folder ends in that is being written.</summary>
    public const string Suffix = ".partial";

    /// <summary>What the name of a folder ends in that was replaced and is about to be deleted.</summary>
    public const string ReplacedSuffix = ".old";

    /// <summary>What the name of a partial folder's lock adds to the folder's.</summary>
    public const string LockSuffix = ".lock";

    private const int LongestName = 40;
    private const int Attempts = 20;

    private readonly string _folder;
    private readonly FileLock _lock;

    private PartialFolder(string folder, string path, FileLock held) => (_folder, Path, _lock) = (folder, path, held);

    /// <summary>Path of the folder that is being written.</summary>
    public string Path { get; }

    /// <summary>Creates a folder to write into, and the folders above it.</summary>
    /// <param name="folder">Full path of the folder that it will become.</param>
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

                // Taken for a leftover in the moment between its creation and its locking.
                held?.Dispose();
            }
            catch (DirectoryNotFoundException) when (attempt < Attempts)
            {
                // Another process that gave up has removed the empty folder above.
            }

            if (attempt >= Attempts) throw new IOException($"no lock could be taken beside {folder}");
        }
    }

    /// <summary>The name of a folder as names beside it begin: its own, shortened.</summary>
    public static string ShortName(string folder)
    {
        string name = System.IO.Path.GetFileName(folder);
        if (name.Length <= LongestName) return name;
        // Half a surrogate pair is no character, and Windows drops dots and spaces at the end.
        int length = char.IsHighSurrogate(name[LongestName - 1]) ? LongestName - 1 : LongestName;
        return name[..length].TrimEnd('.', ' ');
    }

    /// <summary>Takes a finished folder away with one rename, then deletes it.</summary>
    /// <param name="folder">Full path of the folder.</param>
    public static void Discard(string folder)
    {
        if (MoveAside(folder) is { } aside) Leftovers.Delete(aside);
    }

    /// <summary>Moves the folder to its place with one rename.</summary>
    /// <param name="keep">Whether what lies there already is as good: it is kept then, and this folder is dropped.</param>
    /// <exception cref="IOException">What lies there cannot be moved aside.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
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
                // Another process has put its own there meanwhile: the next round looks at that.
            }
        }
    }

    /// <summary>Deletes what was not published, and releases the lock.</summary>
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
            // What was there before is better than nothing.
            if (replaced is not null && !Directory.Exists(_folder)) Directory.Move(replaced, _folder);
            throw;
        }
    }

    // One rename, which fails as a whole where something in the folder is open and the system forbids it: nothing is ever half deleted in
    // its place.
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
