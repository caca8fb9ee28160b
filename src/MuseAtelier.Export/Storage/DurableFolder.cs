using System.Runtime.InteropServices;

namespace MuseAtelier.Export.Storage;

/// <summary>
/// Flushes the entries of folders to the disk, so that a rename survives a power failure. The contents of files are flushed by their
/// streams.
/// </summary>
internal static partial class DurableFolder
{
    private const int ReadOnly = 0;

    /// <summary>Flushes a folder and all folders below it. Does nothing on Windows, whose file system has a journal.</summary>
    public static void FlushTree(string folder)
    {
        foreach (string inner in Directory.EnumerateDirectories(folder)) FlushTree(inner);
        Flush(folder);
    }

    /// <summary>Flushes one folder. Ignores file systems that cannot flush folders.</summary>
    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        int descriptor = OpenFile(folder, ReadOnly);
        if (descriptor < 0) return;
        _ = FlushFile(descriptor);
        _ = CloseFile(descriptor);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFile(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int FlushFile(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseFile(int descriptor);
}
