namespace MuseAtelier.Pictures.Files;

/// <summary>
/// Writes files atomically: under a temporary name in the same folder, flushed to the disk, then renamed. Other programs see the old file,
/// the new one, or none.
/// </summary>
internal static class AtomicFile
{
    private const int NameLength = 8;
    private const int MostNames = 100;

    // Two and a half seconds in total: a virus scanner or an indexer on Windows holds a closed file about that long.
    private static readonly int[] PausesInMs = [10, 20, 40, 80, 160, 320, 640, 1280];

    /// <summary>Checks that files can be created in a folder. Leaves no file behind.</summary>
    /// <exception cref="IOException">No file can be created.</exception>
    /// <exception cref="UnauthorizedAccessException">The user may not create files.</exception>
    public static void Probe(string folder) => Create(folder, mode: null, FileOptions.DeleteOnClose).Dispose();

    /// <summary>Writes a file.</summary>
    /// <param name="file">The file's full path.</param>
    /// <param name="content">The file's bytes.</param>
    /// <param name="overwrite">Whether a file of that name is replaced.</param>
    /// <param name="mode">Permissions on Unix; null means those of the user's mask.</param>
    /// <exception cref="IOException">The file cannot be written; no partial file is left.</exception>
    /// <exception cref="UnauthorizedAccessException">The user may not write the file; no partial file is left.</exception>
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

            // The user's mask has removed permissions when the file was created.
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
    /// Retries an action on Windows after growing pauses, because another program may hold the file. On other systems, it runs once.
    /// </summary>
    /// <param name="action">The action.</param>
    /// <param name="isWindows">Whether the system is Windows.</param>
    /// <param name="isTaken">Whether a file that must not be replaced exists, in which case a retry is useless.</param>
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
        // File.Move checks the name first and renames then; a file that another program creates in between would be lost.
        if (!overwrite && !OperatingSystem.IsWindows() && UnixFile.TryName(partial, file)) return;
        Persist(() => File.Move(partial, file, overwrite), OperatingSystem.IsWindows(), () => !overwrite && File.Exists(file));
    }

    // The names are random, because process ids repeat between containers, and short, because the file's own name may have the maximum
    // length. Guid needs no OpenSSL, which not every machine has.
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
                // The random name is taken. Try another one.
            }
        }
    }

    // A failure here must not hide the earlier one, which the user needs to know.
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
