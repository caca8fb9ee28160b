using System.Runtime.InteropServices;
using System.Security;

namespace MuseAtelier.Server.Checklist;

/// <summary>A folder that muse writes to.</summary>
/// <param name="Name">Its purpose in a word or two.</param>
/// <param name="Folder">Full path; the folder itself may not exist yet.</param>
/// <param name="FreeBytes">Free bytes of its disk; null if the system does not report them.</param>
/// <param name="Problem">Why muse cannot write there; null if it can.</param>
internal sealed partial record PlaceDiagnosis(string Name, string Folder, long? FreeBytes, string? Problem)
{
    // Large enough that no file system stores it within the file's own directory entry, which would not prove that the disk has room.
    private const int ProbeBytes = 64 << 10;

    /// <summary>Whether it is the cache of exported packages.</summary>
    public bool IsCache { get; init; }

    /// <summary>
    /// Tests a folder, or the nearest existing folder above it, by writing a file that is deleted at once.
    /// </summary>
    public static PlaceDiagnosis Of(string name, string folder)
    {
        string? existing = folder;
        while (!string.IsNullOrEmpty(existing) && !Directory.Exists(existing))
        {
            if (File.Exists(existing)) return new PlaceDiagnosis(name, folder, null, $"{existing} is a file");
            existing = Path.GetDirectoryName(existing);
        }

        return string.IsNullOrEmpty(existing)
            ? new PlaceDiagnosis(name, folder, null, "no folder above it exists")
            : new PlaceDiagnosis(name, folder, Free(existing), Probe(existing));
    }

    private static string? Probe(string folder)
    {
        try
        {
            string path = Path.Combine(folder, $"muse-{Guid.NewGuid():N}.partial");
            using var file = new FileStream(
                path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
            file.Write(new byte[ProbeBytes]);
            file.Flush(flushToDisk: true);
            return null;
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or SecurityException or NotSupportedException)
        {
            return exception.Message.TrimEnd('.');
        }
    }

    private static long? Free(string folder)
    {
        // DriveInfo needs a drive letter on Windows, and a network folder has none.
        if (OperatingSystem.IsWindows())
        {
            string root = Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar;
            return GetDiskFreeSpace(root, out ulong free, 0, 0) ? (long)Math.Min(free, long.MaxValue) : null;
        }

        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    [LibraryImport("kernel32", EntryPoint = "GetDiskFreeSpaceExW", StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool GetDiskFreeSpace(string folder, out ulong freeForCaller, nint total, nint free);
}
