using System.Runtime.InteropServices;
using System.Security;

namespace MuseAtelier.Cli.Diagnosis;

/// <summary>A folder that muse writes to.</summary>
/// <param name="Name">What it is for, in a word.</param>
/// <param name="Folder">Full path; the folder itself may not be there yet.</param>
/// <param name="FreeBytes">Bytes that are free there; null where the system does not tell.</param>
/// <param name="Problem">Why nothing can be written there; null where something can.</param>
internal sealed partial record PlaceDiagnosis(string Name, string Folder, long? FreeBytes, string? Problem)
{
    // As much as a file system keeps in the file's own entry is no proof that it has room.
    private const int ProbeBytes = 64 << 10;

    /// <summary>Whether it is the cache of exported packages.</summary>
    public bool IsCache { get; init; }

    /// <summary>Looks at a folder, or at the nearest one above it that is there, by writing a file that is gone again.</summary>
    public static PlaceDiagnosis Of(string name, string folder)
    {
        string? there = folder;
        while (!string.IsNullOrEmpty(there) && !Directory.Exists(there))
        {
            if (File.Exists(there)) return new PlaceDiagnosis(name, folder, null, $"{there} is a file");
            there = Path.GetDirectoryName(there);
        }

        return string.IsNullOrEmpty(there)
            ? new PlaceDiagnosis(name, folder, null, "no folder above it is there")
            : new PlaceDiagnosis(name, folder, Free(there), Probe(there));
    }

    private static string? Probe(string folder)
    {
        try
        {
            string path = Path.Combine(folder, $"muse-{Guid.NewGuid():N}.partial");
            using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
            file.Write(new byte[ProbeBytes]);
            file.Flush(flushToDisk: true);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or SecurityException or NotSupportedException)
        {
            return exception.Message.TrimEnd('.');
        }
    }

    private static long? Free(string folder)
    {
        // A network folder has no drive's letter on Windows, and DriveInfo asks for one.
        if (OperatingSystem.IsWindows()) return GetDiskFreeSpace(Path.TrimEndingDirectorySeparator(folder) + Path.DirectorySeparatorChar, out ulong free, 0, 0) ? (long)Math.Min(free, long.MaxValue) : null;
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
