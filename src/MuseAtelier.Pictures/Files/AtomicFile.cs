namespace MuseAtelier.Pictures.Files;

/// <summary>
/// Files that come into being as a whole: written beside their place under a name of their own, flushed to the disk, renamed. Whoever looks
/// sees the old file, the new one, or none.
/// </summary>
internal static class AtomicFile
{
    private const int NameLength = 8, MostNames = 100;

    // Two and a half seconds in all: as long as a scanner or an indexer of Windows looks at a file that was just closed.
    private static readonly int[] PausesInMs = [10, 20, 40, 80, 160, 320, 640, 1280];

    /// <summary>Makes sure that files can be made in a folder; leaves none.</summary>
    /// <exception cref="IOException">They cannot.</exception>
    /// <exception cref="UnauthorizedAccessException">They may not.</exception>
    public static void Probe(string folder) => Create(folder, mode: null, FileOptions.DeleteOnClose).Dispose();

    /// <summary>Writes a file.</summary>
    /// <param name="file">Its full path.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="overwrite">Whether a file of that name is replaced.</param>
    /// <param name="mode">Permissions on Unix; null for what the user's mask gives.</param>
    /// <exception cref="IOException">It cannot be written; nothing is left of it.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written; nothing is left of it.</exception>
    public static void Write(string file, ReadOnlySpan<byte> content, bool overwrite, UnixFileMode? mode)
    {
        string? partial = null;
        try
        {
            using (FileStream stream = Create(Path.GetDirectoryName(file)!, mode, FileOptions.None))
            {
                partial = stream.Name;
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }

            // Made with them, the file still lacks those that the user's mask takes away.
            if (mode is { } permissions && !OperatingSystem.IsWindows()) File.SetUnixFileMode(partial, permissions);
            Move(partial, file, overwrite);
            partial = null;
        }
        finally
        {
            if (partial is not null) Remove(partial);
        }
    }

    /// <summary>
    /// Does something again, after growing pauses, while another program on Windows is in its way; on other systems once.
    /// </summary>
    /// <param name="action">What to do.</param>
    /// <param name="isWindows">Whether the system is Windows.</param>
    /// <param name="isTaken">Whether the file exists, in which case nothing is done again that may not replace it.</param>
    internal static void Persist(Action action, bool isWindows, Func<bool> isTaken)
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                action();
                return;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException && isWindows
                && tries < PausesInMs.Length && !isTaken())
            {
                Thread.Sleep(PausesInMs[tries]);
            }
        }
    }

    private static void Move(string partial, string file, bool overwrite)
    {
        // .NET looks whether the name is free and renames then; in between, another program's file would be lost.
        if (!overwrite && !OperatingSystem.IsWindows() && UnixFile.TryName(partial, file)) return;
        Persist(() => File.Move(partial, file, overwrite), OperatingSystem.IsWindows(), () => !overwrite && File.Exists(file));
    }

    // Random names, without OpenSSL, which not every machine has: process ids repeat between containers, and calls within a process. Short
    // ones: the file's own may be as long as names go.
    private static FileStream Create(string folder, UnixFileMode? mode, FileOptions options)
    {
        for (int tries = 1; ; tries++)
        {
            string name = Path.Combine(folder, $".muse-{Guid.NewGuid().ToString("N")[..NameLength]}.tmp");
            var how = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Share = FileShare.None,
                BufferSize = 0,
                Options = options,
            };
            if (mode is { } permissions && !OperatingSystem.IsWindows()) how.UnixCreateMode = permissions | UnixFileMode.UserWrite;
            try
            {
                return new FileStream(name, how);
            }
            catch (IOException) when (tries < MostNames && File.Exists(name))
            {
                // Of four thousand million names, one that was taken.
            }
        }
    }

    // What went wrong before is what the user needs to know.
    private static void Remove(string partial)
    {
        try
        {
            Persist(() => File.Delete(partial), OperatingSystem.IsWindows(), () => false);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
        }
    }
}
